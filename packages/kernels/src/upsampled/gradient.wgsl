// Gradient of the cross-entropy of bilinearly upsampled scores, first pass: what each patch gives to its four corners.
//
//   d[i, c] = g * w[target[i]] * (exp(v[i, c] - lse[i]) - [c = target[i]])      v and lse as in loss.wgsl
//   part[patch, corner, c] = sum over the pixels i of the patch of  d[i, c] * tentY(i, corner) * tentX(i, corner)
//
// d is 0 where the pixel is ignored and NaN where its label is outside [0, C). g is dy[i] with EACH, else dy[0], with
// MEAN divided by divisor[0]. Patch (j, k) holds the pixels between the cells j - 1 and j and the cells k - 1 and k, so
// there are (H + 1) * (W + 1); corners are numbered from the upper left by rows. Each exponential is taken once. v is
// computed as in loss.wgsl to the last bit, since exp(v - lse) would blow up rounding where scores are huge.
// scores [N, H, W, C], channels last; labels, lse [N, OH, OW]; weight [C]; part [slices, N, H + 1, W + 1, 4, quads]
// in vectors of four classes. A thread owns four classes of a patch, in a slice of its rows.
// Each lane holds much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
const WG: u32 = 64u;
const CLAMPED: bool = false;
const EACH: bool = false;
const MEAN: bool = true;
const WEIGHTED: bool = false;
const LOWEST: f32 = -3.4028234e38;

struct Params {
  count: u32, slices: u32, images: u32, quads: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  scaleH: f32, scaleW: f32, // cells for each output step
  beforeH: f32, beforeW: f32, after: f32,
  ignoreIndex: i32,
  nanBits: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> lse: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> dy: array<f32>;
@group(0) @binding(6) var<storage, read> divisor: array<f32>;
@group(0) @binding(7) var<storage, read_write> part: array<vec4f>;

// Where an output lies among the cells. All kernels of this folder must agree.
fn place(o: u32, before: f32, scale: f32, size: u32) -> f32 {
  let room = select(1.0, 0.0, CLAMPED);
  return clamp(fma(f32(o) + before, scale, -p.after), -room, f32(size) - 1.0 + room);
}

// The first output that lies at cell `cell` or beyond: a guess by the inverse, and steps from there.
fn firstAt(cell: i32, before: f32, scale: f32, size: u32, out: u32) -> u32 {
  if (cell < 0 || (CLAMPED && cell == 0)) { return 0u; }
  if (cell >= i32(size)) { return out; }
  let guess = (f32(cell) + p.after) / scale - before;
  var o = u32(clamp(ceil(guess), 0.0, f32(out)));
  for (; o > 0u && place(o - 1u, before, scale, size) >= f32(cell); o--) {}
  for (; o < out && place(o, before, scale, size) < f32(cell); o++) {}
  return o;
}

// Four classes of a cell, 0 where there is none.
fn corner(image: u32, y: i32, x: i32, quad: u32) -> vec4f {
  var v = vec4f();
  if (y < 0 || x < 0 || y >= i32(p.inH) || x >= i32(p.inW)) { return v; }
  let at = ((image * p.inH + u32(y)) * p.inW + u32(x)) * p.channels + quad * 4u;
  for (var i = 0u; i < 4u; i++) {
    if (quad * 4u + i < p.channels) { v[i] = scores[at + i]; }
  }
  return v;
}

fn scaleOf(label: i32, pixel: u32) -> f32 {
  if (label == p.ignoreIndex) { return 0.0; }
  if (label < 0 || label >= i32(p.channels)) { return bitcast<f32>(p.nanBits); }
  var g = dy[select(0u, pixel, EACH)];
  if (MEAN) { g /= divisor[0]; }
  if (WEIGHTED) { g *= weight[label]; }
  return g;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let quad = id % p.quads;
  let patchColumn = id / p.quads % (p.inW + 1u);
  let patchRow = id / (p.quads * (p.inW + 1u)) % (p.inH + 1u);
  let imageOfSlice = id / (p.quads * (p.inW + 1u) * (p.inH + 1u));
  let image = imageOfSlice % p.images;
  let slice = imageOfSlice / p.images;
  let y = i32(patchRow) - 1;
  let x = i32(patchColumn) - 1;
  let begin = firstAt(y, p.beforeH, p.scaleH, p.inH, p.outH);
  let rows = firstAt(y + 1, p.beforeH, p.scaleH, p.inH, p.outH) - begin;
  let rowsPerSlice = (rows + p.slices - 1u) / p.slices;
  let left = firstAt(x, p.beforeW, p.scaleW, p.inW, p.outW);
  let right = firstAt(x + 1, p.beforeW, p.scaleW, p.inW, p.outW);
  let a = corner(image, y, x, quad);
  let b = corner(image, y, x + 1, quad);
  let c = corner(image, y + 1, x, quad);
  let d = corner(image, y + 1, x + 1, quad);
  let classes = vec4i(i32(quad) * 4) + vec4i(0, 1, 2, 3);
  let exists = classes < vec4i(i32(p.channels));

  var sums: array<vec4f, 4>;
  for (var oy = begin + slice * rowsPerSlice; oy < begin + min(rows, (slice + 1u) * rowsPerSlice); oy++) {
    let down = place(oy, p.beforeH, p.scaleH, p.inH) - f32(y);
    let upper = select(0.0, 1.0 - down, y >= 0);
    let lower = select(0.0, down, y + 1 < i32(p.inH));
    let near = fma(vec4f(lower), c, upper * a);
    let far = fma(vec4f(lower), d, upper * b);
    var nearSum = vec4f();
    var farSum = vec4f();
    for (var ox = left; ox < right; ox++) {
      let pixel = (image * p.outH + oy) * p.outW + ox;
      let label = labels[pixel];
      let g = scaleOf(label, pixel);
      // A pixel that does not count gives 0 even where its scores are not finite.
      if (g == 0.0) { continue; }
      let at = place(ox, p.beforeW, p.scaleW, p.inW);
      let nearShare = max(0.0, 1.0 - abs(at - f32(x)));
      let farShare = max(0.0, 1.0 - abs(at - f32(x + 1)));
      // The mask also keeps compilers from taking the subtraction into the sum, which would round otherwise.
      let v = select(vec4f(LOWEST), fma(vec4f(farShare), far, nearShare * near), exists);
      let excess = v - lse[pixel];
      let own = g * (exp(select(excess, vec4f(), excess > vec4f())) - select(vec4f(), vec4f(1.0), vec4i(label) == classes));
      nearSum += nearShare * own;
      farSum += farShare * own;
    }
    sums[0] += upper * nearSum;
    sums[1] += upper * farSum;
    sums[2] += lower * nearSum;
    sums[3] += lower * farSum;
  }
  let to = (id - quad) * 4u + quad;
  for (var i = 0u; i < 4u; i++) { part[to + i * p.quads] = sums[i]; }
}
