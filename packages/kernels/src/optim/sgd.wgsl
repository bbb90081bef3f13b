// One step of torch.optim.SGD on one parameter, or on two (PAIR), which share their settings.
//
//   d = g + weightDecay * w
//   m = d on the first step of a parameter, else momentum * m + keep * d      keep = 1 - dampening, with MOMENTUM only
//   d = m with MOMENTUM, d + momentum * m with NESTEROV
//   w = w - lr * d
//
// Parameter w, gradient g and momentum buffer m are in one storage order; those of the second parameter are g2, w2 and
// m2. A thread owns four elements: the first `split` threads those of the first parameter, the others those of the
// second. Storage is padded to 16 bytes, so the last thread of each may run past the last element.
const WG: u32 = 64u;
const MOMENTUM: bool = false;
const NESTEROV: bool = false;
const PAIR: bool = false;

struct Params {
  count: u32,
  split: u32,
  isFirst: u32,
  isFirst2: u32,
  lr: f32,
  momentum: f32,
  keep: f32,
  weightDecay: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read> g2: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> w2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> m2: array<vec4f>;

struct Updated { w: vec4f, m: vec4f }

fn update(value: vec4f, gradient: vec4f, buffer: vec4f, isFirst: bool) -> Updated {
  var d = gradient + p.weightDecay * value;
  let next = select(p.momentum * buffer + p.keep * d, d, isFirst);
  if (MOMENTUM) {
    if (NESTEROV) { d += p.momentum * next; } else { d = next; }
  }
  return Updated(value - p.lr * d, next);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  if (!PAIR || id < p.split) {
    let updated = update(w[id], g[id], m[id], p.isFirst != 0u);
    w[id] = updated.w;
    if (MOMENTUM) { m[id] = updated.m; }
  } else {
    let at = id - p.split;
    let updated = update(w2[at], g2[at], m2[at], p.isFirst2 != 0u);
    w2[at] = updated.w;
    if (MOMENTUM) { m2[at] = updated.m; }
  }
}
