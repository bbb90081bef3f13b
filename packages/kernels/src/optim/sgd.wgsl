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
//
// With SCALED, one parameter follows a GradScaler, which takes the place of a second one: g2 is the scaler's record of
// the step (x: factor on the gradient, y: not 0 where the step is skipped; not read unless isGuarded), and m2 holds the
// steps taken, before this one in m2[at] and after it in the other, so that no thread reads what another writes. Where
// `taken` is at least 0, it counts in place of m2[at], which holds nothing yet. A step that is skipped changes nothing,
// but where m holds nothing yet makes it zero.
const WG: u32 = 64u;
const MOMENTUM: bool = false;
const NESTEROV: bool = false;
const PAIR: bool = false;
const SCALED: bool = false;

struct Params {
  count: u32,
  split: u32,
  isFirst: u32,
  isFirst2: u32,
  lr: f32,
  momentum: f32,
  keep: f32,
  weightDecay: f32,
  isGuarded: u32,
  at: u32,
  taken: f32,
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

fn scaledSgd(id: u32) {
  let record = select(vec4f(1.0, 0.0, 0.0, 0.0), g2[0], p.isGuarded != 0u);
  let isSkipped = record.y != 0.0;
  var taken = p.taken;
  if (taken < 0.0) {
    taken = m2[p.at].x;
  } else if (id == 0u) {
    m2[p.at] = vec4f(taken);
  }
  if (id == 0u) { m2[1u - p.at] = vec4f(taken + select(1.0, 0.0, isSkipped)); }
  let isFirst = taken == 0.0 || p.isFirst != 0u;
  if (isSkipped) {
    if (MOMENTUM && isFirst) { m[id] = vec4f(); }
    return;
  }
  let updated = update(w[id], g[id] * record.x, m[id], isFirst);
  w[id] = updated.w;
  if (MOMENTUM) { m[id] = updated.m; }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  if (SCALED) {
    scaledSgd(id);
  } else if (!PAIR || id < p.split) {
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
