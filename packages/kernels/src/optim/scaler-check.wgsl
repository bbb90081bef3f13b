// Puts 1.0 into record[1] if one of up to seven gradients holds a NaN or an infinity, as torch.amp.GradScaler asks for.
//
// g0 to g6 are gradients, or parts of them, of sizes[i] floats each; their order in memory does not matter. A workgroup
// owns WG * STEP elements of one of them: those of gradient i are the workgroups before ends[i]. Floats are read as
// their bits, because WGSL lets a compiler assume that they are finite.
const WG: u32 = 64u;
const STEP: u32 = 16u;
const EXPONENT: u32 = 0x7f800000u;
const ONE: u32 = 0x3f800000u;

struct Params { count: u32, ends: array<vec4u, 2>, sizes: array<vec4u, 2> }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g0: array<u32>;
@group(0) @binding(2) var<storage, read> g1: array<u32>;
@group(0) @binding(3) var<storage, read> g2: array<u32>;
@group(0) @binding(4) var<storage, read> g3: array<u32>;
@group(0) @binding(5) var<storage, read> g4: array<u32>;
@group(0) @binding(6) var<storage, read> g5: array<u32>;
@group(0) @binding(7) var<storage, read> g6: array<u32>;
@group(0) @binding(8) var<storage, read_write> record: array<atomic<u32>, 4>;

fn bitsOf(gradient: u32, at: u32) -> u32 {
  switch gradient {
    case 0u: { return g0[at]; }
    case 1u: { return g1[at]; }
    case 2u: { return g2[at]; }
    case 3u: { return g3[at]; }
    case 4u: { return g4[at]; }
    case 5u: { return g5[at]; }
    default: { return g6[at]; }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= p.count) { return; }
  var gradient = 0u;
  var begin = 0u;
  while (id >= p.ends[gradient / 4u][gradient % 4u]) {
    begin = p.ends[gradient / 4u][gradient % 4u];
    gradient++;
  }
  let size = p.sizes[gradient / 4u][gradient % 4u];
  let start = (id - begin) * WG * STEP + local;
  var isFinite = true;
  for (var i = 0u; i < STEP; i++) {
    let at = start + i * WG;
    if (at < size) { isFinite = isFinite && (bitsOf(gradient, at) & EXPONENT) != EXPONENT; }
  }
  if (!isFinite) { atomicStore(&record[1], ONE); }
}
