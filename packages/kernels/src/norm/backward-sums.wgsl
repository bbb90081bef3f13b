// Gradient of normalisation, first pass of its two sums: each channel in each slice of an image's rows.
//
//   d = dy, or 0 where the activation that gave y let nothing through
//   partial[0, n, s, c] = sum of d
//   partial[1, n, s, c] = sum of d * (x - mean[n, g]) * invStd[n, g],  g = c / width
//   dresidual = d with KEEP, since it is the gradient of the residual
//
// x, dy, y, dresidual [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd. What is as large as x may
// be parts that begin at p.xOrigin and hold consecutive slices, numbered through all images from p.unit on. A thread
// owns one channel of one slice of rowsPerSlice rows, or four channels (VEC: columns, total and xOrigin count vec4).
// It adds RUN rows, then those sums, because the error of a sum grows with the number of consecutive terms.
// ACTIVATION is 0 for none, 1 for ReLU, 2 for ReLU6.
const WG: u32 = 64u;
const RUN: u32 = 64u;
const VEC: bool = false;
const ACTIVATION: u32 = 0u;
const KEEP: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;
alias Kept = f32;
alias Kept4 = vec4f;

struct Params {
  count: u32, columns: u32, rows: u32, rowsPerSlice: u32, slices: u32, unit: u32, total: u32, xOrigin: u32,
  width: u32, statistics: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<X>;
@group(0) @binding(3) var<storage, read> y: array<X>;
@group(0) @binding(4) var<storage, read> stats: array<f32>;
@group(0) @binding(5) var<storage, read_write> partial: array<f32>;
@group(0) @binding(6) var<storage, read_write> partial4: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> dresidual: array<Kept>;
@group(0) @binding(8) var<storage, read_write> dresidual4: array<Kept4>;

// The gradient of an activation that gave y: g where the activation let its input through.
fn activationGradient(g: vec4f, y: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(y) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  if (ACTIVATION == 1u) { return select(vec4f(), g, (y > vec4f()) | isNan); }
  if (ACTIVATION == 2u) { return select(vec4f(), g, ((y > vec4f()) & (y < vec4f(6.0))) | isNan); }
  return g;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let column = id % p.columns;
  let slice = p.unit + id / p.columns;
  let image = slice / p.slices;
  let first = slice % p.slices * p.rowsPerSlice;
  let base = image * p.rows * p.columns + column - p.xOrigin;
  let end = min(p.rows, first + p.rowsPerSlice);
  let to = slice * p.columns + column;
  if (VEC) {
    let at = (image * p.columns * 4u + column * 4u + vec4u(0u, 1u, 2u, 3u)) / p.width;
    let mean = vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]);
    let second = p.statistics + at;
    var sum = vec4f();
    var product = vec4f();
    for (var start = first; start < end; start += RUN) {
      var run = vec4f();
      var products = vec4f();
      for (var row = start; row < min(end, start + RUN); row++) {
        let element = base + row * p.columns;
        var g = vec4f(dy[element]);
        if (ACTIVATION > 0u) { g = activationGradient(g, vec4f(y[element])); }
        if (KEEP) { dresidual4[element] = Kept4(g); }
        run += g;
        products = fma(g, vec4f(x[element]) - mean, products);
      }
      sum += run;
      product += products;
    }
    partial4[to] = sum;
    partial4[p.total + to] = product * vec4f(stats[second.x], stats[second.y], stats[second.z], stats[second.w]);
  } else {
    let at = (image * p.columns + column) / p.width;
    let mean = stats[at];
    var sum = 0.0;
    var product = 0.0;
    for (var start = first; start < end; start += RUN) {
      var run = 0.0;
      var products = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        let element = base + row * p.columns;
        let vector = element / 4u;
        let lane = element % 4u;
        var g = f32(dy[vector][lane]);
        if (ACTIVATION > 0u) { g = activationGradient(vec4f(g), vec4f(f32(y[vector][lane]))).x; }
        if (KEEP) { dresidual[element] = Kept(g); }
        run += g;
        products = fma(g, f32(x[vector][lane]) - mean, products);
      }
      sum += run;
      product += products;
    }
    partial[to] = sum;
    partial[p.total + to] = product * stats[p.statistics + at];
  }
}
