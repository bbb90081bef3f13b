// Reports a NaN or an infinity in x to the device's fault record (code, op, element); the first report stays.
//
// x [count], its first element being number p.base of the tensor. Exponents are tested as bits because WGSL lets a
// compiler assume that floats are finite. A thread tests STEP elements, WG apart.
const WG: u32 = 64u;
const STEP: u32 = 16u;
const FAULT_NOT_FINITE: u32 = 2u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;

struct Params { count: u32, base: u32, op: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> fault: array<atomic<u32>, 4>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let first = (group.x + group.y * groups.x) * WG * STEP + local;
  for (var i = 0u; i < STEP; i++) {
    let at = first + i * WG;
    if (at < p.count && (bitcast<u32>(f32(x[min(at, p.count - 1u)])) & 0x7f800000u) == 0x7f800000u) {
      if (atomicCompareExchangeWeak(&fault[0], 0u, FAULT_NOT_FINITE).exchanged) {
        atomicStore(&fault[1], p.op);
        atomicStore(&fault[2], p.base + at);
      }
      return;
    }
  }
}
