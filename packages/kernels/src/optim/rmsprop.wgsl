// One step of torch.optim.RMSprop on one parameter.
//
//   d = g + weightDecay * w
//   v = alpha * v + keep * d * d             keep = 1 - alpha
//   a = a + keep * (d - a)                   with CENTERED, where v - a * a takes the place of v below
//   d = d / (sqrt(v) + eps)
//   m = momentum * m + d, d = m              with MOMENTUM only
//   w = w - lr * d
//
// Parameter w, gradient g and the buffers v, m and a are in one storage order, and on the first step of a parameter the
// buffers count as 0. v - a * a is a variance, and counts as 0 where roundings make it less. A thread owns four
// elements; storage is padded to 16 bytes, so the last thread may run past the last element.
//
// With SCALED, the parameter follows a GradScaler, as in sgd.wgsl: `record` is the scaler's record of the step, `steps`
// holds the steps taken.
const WG: u32 = 64u;
const MOMENTUM: bool = false;
const CENTERED: bool = false;
const SCALED: bool = false;

struct Params {
  count: u32,
  isFirst: u32,
  lr: f32,
  alpha: f32,
  keep: f32,
  eps: f32,
  weightDecay: f32,
  momentum: f32,
  isGuarded: u32,
  at: u32,
  taken: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(6) var<storage, read> record: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> steps: array<vec4f>;

fn rmsprop(id: u32, factor: f32, isFirst: bool) {
  let value = w[id];
  var d = g[id] * factor + p.weightDecay * value;
  let square = p.alpha * select(v[id], vec4f(), isFirst) + p.keep * d * d;
  v[id] = square;
  var spread = square;
  if (CENTERED) {
    let before = select(a[id], vec4f(), isFirst);
    let average = before + p.keep * (d - before);
    a[id] = average;
    spread = max(square - average * average, vec4f());
  }
  d = d / (sqrt(spread) + vec4f(p.eps));
  if (MOMENTUM) {
    d = p.momentum * select(m[id], vec4f(), isFirst) + d;
    m[id] = d;
  }
  w[id] = value - p.lr * d;
}

fn scaledRmsprop(id: u32) {
  let guard = select(vec4f(1.0, 0.0, 0.0, 0.0), record[0], p.isGuarded != 0u);
  let isSkipped = guard.y != 0.0;
  var taken = p.taken;
  if (taken < 0.0) {
    taken = steps[p.at].x;
  } else if (id == 0u) {
    steps[p.at] = vec4f(taken);
  }
  if (id == 0u) { steps[1u - p.at] = vec4f(taken + select(1.0, 0.0, isSkipped)); }
  let isFirst = taken == 0.0 || p.isFirst != 0u;
  if (!isSkipped) {
    rmsprop(id, guard.x, isFirst);
  } else if (isFirst) {
    v[id] = vec4f();
    if (MOMENTUM) { m[id] = vec4f(); }
    if (CENTERED) { a[id] = vec4f(); }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  if (SCALED) {
    scaledRmsprop(id);
  } else {
    rmsprop(id, 1.0, p.isFirst != 0u);
  }
}
