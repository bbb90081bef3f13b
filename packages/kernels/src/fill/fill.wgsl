// Fills y with one 32-bit pattern: y[i] = bits for i < count.
//
// Serves constants, and the NaN that marks recycled buffers in debug mode. A thread owns STEP words, WG apart.
const WG: u32 = 64u;
const STEP: u32 = 4u;

struct Params { count: u32, bits: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let first = (group.x + group.y * groups.x) * WG * STEP + local;
  for (var i = 0u; i < STEP; i++) {
    let at = first + i * WG;
    if (at < p.count) { y[at] = p.bits; }
  }
}
