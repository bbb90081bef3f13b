// What each output of local response normalisation contributes to all inputs of its window, for backward.wgsl.
//
//   r = dy * x / d^(beta + 1)
//
// All operands are [pixels, C], channels last. All but r may be parts whose pixels begin at element p.first. A thread
// owns one element.
const WG: u32 = 64u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Dy = f32;

struct Params { count: u32, first: u32, beta: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read> d: array<f32>;
@group(0) @binding(4) var<storage, read_write> r: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let at = p.first + id;
  let denominator = d[at];
  r[id] = f32(dy[at]) * f32(x[at]) / (denominator * pow(denominator, p.beta));
}
