// One step of torch.optim.AdamW (Loshchilov and Hutter 2019, algorithm 2) on one parameter, or on two (PAIR), which
// share their settings but for the number of the step; with COUPLED of torch.optim.Adam, whose decay is 1.
//
//   g = g + weightDecay * w                  with COUPLED only
//   w = decay * w                            decay = 1 - lr * weightDecay
//   m = m + keep1 * (g - m)                  keep1 = 1 - beta1
//   v = beta2 * v + keep2 * g * g            keep2 = 1 - beta2
//   w = w - stepSize * m / (sqrt(v) * correction + eps)
//
// With AMSGRAD the last line has in place of v the largest v so far (Reddi et al. 2018), which v2 holds; not with PAIR.
//
// stepSize = lr / (1 - beta1^t) and correction = 1 / sqrt(1 - beta2^t) come from the host in float64. Parameter w,
// gradient g and moments m and v are in one storage order, and on the first step of a parameter m and v count as 0;
// those of the second parameter are g2, w2, m2 and v2. A thread owns four elements: the first `split` threads those of
// the first parameter, the others those of the second. Storage is padded to 16 bytes, so the last thread of each may
// run past the last element.
//
// With SCALED, one parameter follows a GradScaler, as in sgd.wgsl: g2 is the scaler's record of the step, m2 holds the
// steps taken. The number t of the step is known here only, so stepSize and correction are computed from lr and the
// logarithms of the betas, with 1 - beta^t = -expm1(t * log(beta)) as a series where t is small.
const WG: u32 = 64u;
const PAIR: bool = false;
const COUPLED: bool = false;
const SCALED: bool = false;
const AMSGRAD: bool = false;

struct Params {
  count: u32,
  split: u32,
  isFirst: u32,
  isFirst2: u32,
  decay: f32,
  weightDecay: f32,
  keep1: f32,
  beta2: f32,
  keep2: f32,
  stepSize: f32,
  stepSize2: f32,
  correction: f32,
  correction2: f32,
  eps: f32,
  isGuarded: u32,
  at: u32,
  taken: f32,
  lr: f32,
  logBeta1: f32,
  logBeta2: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> g: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> m: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(5) var<storage, read> g2: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> w2: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> m2: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> v2: array<vec4f>;

// The gradient of a weight with its decay.
fn decayed(gradient: vec4f, weight: vec4f) -> vec4f {
  if (COUPLED) { return gradient + p.weightDecay * weight; }
  return gradient;
}

// The moments after a step, from those before it.
fn moments(gradient: vec4f, m: vec4f, v: vec4f, isFirst: bool) -> mat2x4f {
  let first = select(m, vec4f(), isFirst);
  let second = select(v, vec4f(), isFirst);
  return mat2x4f(first + p.keep1 * (gradient - first), p.beta2 * second + p.keep2 * gradient * gradient);
}

fn stepped(value: vec4f, moment: mat2x4f, stepSize: f32, correction: f32) -> vec4f {
  return p.decay * value - stepSize * moment[0] / (sqrt(moment[1]) * correction + vec4f(p.eps));
}

// The moments that divide the first parameter's step; keeps the largest second moment, of which none is below 0.
fn dividing(id: u32, moment: mat2x4f, isFirst: bool) -> mat2x4f {
  if (!AMSGRAD) { return moment; }
  let most = max(select(v2[id], vec4f(), isFirst), moment[1]);
  v2[id] = most;
  return mat2x4f(moment[0], most);
}

// 1 - exp(x) for x <= 0.
fn oneLessExp(x: f32) -> f32 {
  if (x < -0.5) { return 1.0 - exp(x); }
  var sum = 1.0;
  for (var n = 9.0; n > 1.0; n -= 1.0) { sum = 1.0 + sum * x / n; }
  return -x * sum;
}

fn scaledAdamw(id: u32) {
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
    if (isFirst) {
      m[id] = vec4f();
      v[id] = vec4f();
      if (AMSGRAD) { v2[id] = vec4f(); }
    }
    return;
  }
  let next = moments(decayed(g[id] * record.x, w[id]), m[id], v[id], isFirst);
  m[id] = next[0];
  v[id] = next[1];
  let t = taken + 1.0;
  let stepSize = p.lr / oneLessExp(t * p.logBeta1);
  w[id] = stepped(w[id], dividing(id, next, isFirst), stepSize, inverseSqrt(oneLessExp(t * p.logBeta2)));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  if (SCALED) {
    scaledAdamw(id);
  } else if (!PAIR || id < p.split) {
    let next = moments(decayed(g[id], w[id]), m[id], v[id], p.isFirst != 0u);
    m[id] = next[0];
    v[id] = next[1];
    w[id] = stepped(w[id], dividing(id, next, p.isFirst != 0u), p.stepSize, p.correction);
  } else {
    let at = id - p.split;
    let next = moments(decayed(g2[at], w2[at]), m2[at], v2[at], p.isFirst2 != 0u);
    m2[at] = next[0];
    v2[at] = next[1];
    w2[at] = stepped(w2[at], next, p.stepSize2, p.correction2);
  }
}
