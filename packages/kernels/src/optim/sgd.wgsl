// One step of torch.optim.SGD on one parameter.
//
//   d = g + weightDecay * w
//   m = d on the FIRST step, else momentum * m + keep * d      keep = 1 - dampening, with MOMENTUM only
//   d = m with MOMENTUM, d + momentum * m with NESTEROV
//   w = w - lr * d
//
// Parameter w, gradient g and momentum buffer m are in one storage order. A thread owns four elements. Storage is
// padded to 16 bytes, so the last thread may run past the last element.
const WG: u32 = 64u;
const MOMENTUM: bool = false;
const NESTEROV: bool = false;
const FIRST: bool = false;

struct Params {
  count: u32,
  lr: f32,
  momentum: f32,
  keep: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let value = w[id];
  var d = g[id] + p.weightDecay * value;
  if (MOMENTUM) {
    var buffer = d;
    if (!FIRST) { buffer = p.momentum * m[id] + p.keep * d; }
    m[id] = buffer;
    if (NESTEROV) { d += p.momentum * buffer; } else { d = buffer; }
  }
  w[id] = value - p.lr * d;
}
