// Gradient of softmax cross-entropy.
//
//   dx[i, c] = g * w[target[i]] * (exp(x[i, c] - lse[i]) - [c = target[i]])
//
// It is 0 where the pixel is ignored and NaN where its label is outside [0, C). g is dy[i] with EACH, else dy[0], with
// MEAN divided by divisor[0]. x and dx [pixels, C], channels last; labels, lse [pixels]; weight [C]. A thread owns four
// pixels, which are C whole vectors whatever C is. Operands may be parts for a range of pixels, whose first vector is
// p.firstLogit of x and dx and p.firstPixel of the others.
const WG: u32 = 64u;
const EACH: bool = false;
const MEAN: bool = true;
const WEIGHTED: bool = false;

struct Params {
  threads: u32,
  pixels: u32,
  classes: u32,
  ignoreIndex: i32,
  nanBits: u32,
  firstLogit: u32,
  firstPixel: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> labels: array<vec4i>;
@group(0) @binding(3) var<storage, read> lse: array<vec4f>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read> divisor: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx: array<vec4f>;

fn scale(label: i32, pixel: u32) -> f32 {
  if (pixel >= p.pixels || label == p.ignoreIndex) { return 0.0; }
  if (label < 0 || label >= i32(p.classes)) { return bitcast<f32>(p.nanBits); }
  var g = dy[select(0u, p.firstPixel * 4u + pixel, EACH)];
  if (MEAN) { g /= divisor[0]; }
  if (WEIGHTED) { g *= weight[label]; }
  return g;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.threads) { return; }
  let label = labels[p.firstPixel + id];
  let total = lse[p.firstPixel + id];
  let g = vec4f(scale(label.x, id * 4u), scale(label.y, id * 4u + 1u),
                scale(label.z, id * 4u + 2u), scale(label.w, id * 4u + 3u));
  let classes = p.classes;
  // Where the labels of the four pixels are among the 4 C elements of this thread.
  let hot = vec4u(label) + vec4u(0u, classes, 2u * classes, 3u * classes);
  let vectors = (p.pixels * classes + 3u) / 4u;
  for (var q = 0u; q < classes && id * classes + q < vectors; q++) {
    let at = q * 4u + vec4u(0u, 1u, 2u, 3u);
    let second = at >= vec4u(classes);
    let third = at >= vec4u(2u * classes);
    let fourth = at >= vec4u(3u * classes);
    let ownTotal = select(select(select(vec4f(total.x), vec4f(total.y), second), vec4f(total.z), third),
                          vec4f(total.w), fourth);
    let ownHot = select(select(select(vec4u(hot.x), vec4u(hot.y), second), vec4u(hot.z), third), vec4u(hot.w), fourth);
    let ownG = select(select(select(vec4f(g.x), vec4f(g.y), second), vec4f(g.z), third), vec4f(g.w), fourth);
    let to = p.firstLogit + id * classes + q;
    let v = exp(x[to] - ownTotal) - select(vec4f(), vec4f(1.0), at == ownHot);
    // A pixel that does not count stays 0 even where its logits are not finite.
    dx[to] = select(ownG * v, vec4f(), ownG == vec4f());
  }
}
