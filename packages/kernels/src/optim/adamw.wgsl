// One step of torch.optim.AdamW (Loshchilov and Hutter 2019, algorithm 2) on one parameter.
//
//   w = decay * w                            decay = 1 - lr * weightDecay
//   m = m + keep1 * (g - m)                  keep1 = 1 - beta1
//   v = beta2 * v + keep2 * g * g            keep2 = 1 - beta2
//   w = w - stepSize * m / (sqrt(v) * correction + eps)
//
// stepSize = lr / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) come from the host in float64. Parameter w,
// gradient g and moments m and v are in one storage order; on the FIRST step m and v are not read. A thread owns four
// elements. Storage is padded to 16 bytes, so the last thread may run past the last element.
const WG: u32 = 64u;
const FIRST: bool = false;

struct Params {
  count: u32,
  decay: f32,
  keep1: f32,
  beta2: f32,
  keep2: f32,
  stepSize: f32,
  correction: f32,
  eps: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let gradient = g[id];
  var first = vec4f();
  var second = vec4f();
  if (!FIRST) {
    first = m[id];
    second = v[id];
  }
  first += p.keep1 * (gradient - first);
  second = p.beta2 * second + p.keep2 * gradient * gradient;
  m[id] = first;
  v[id] = second;
  w[id] = p.decay * w[id] - p.stepSize * first / (sqrt(second) * p.correction + vec4f(p.eps));
}
