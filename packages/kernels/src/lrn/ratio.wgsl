// What each output of local response normalisation contributes to all inputs of its window, for backward.wgsl.
//
//   r = dy * x / d^(beta + 1)
//
// All operands are [pixels, C], channels last. All but r may be parts whose pixels begin at element p.first. A thread
// owns one element.
const WG: u32 = 64u;

struct Params { count: u32, first: u32, beta: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> d: array<f32>;
@group(0) @binding(4) var<storage, read_write> r: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let at = p.first + id;
  let denominator = d[at];
  r[id] = dy[at] * x[at] / (denominator * pow(denominator, p.beta));
}
