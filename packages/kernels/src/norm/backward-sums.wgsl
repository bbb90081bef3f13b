// Gradient of normalisation, first pass of its two sums: each channel in each slice of an image's rows.
//
//   partial[0, n, s, c] = sum of dy
//   partial[1, n, s, c] = sum of dy * (x - mean[n, g]) * invStd[n, g],  g = c / width
//
// x, dy [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd. x and dy may be parts that begin at
// p.xOrigin and hold consecutive slices, numbered through all images from p.unit on. A thread owns one channel of one
// slice of rowsPerSlice rows, or four channels (VEC: the vec4 bindings are used, and columns, total and xOrigin count
// vec4). It adds RUN rows, then those sums, because the error of a sum grows with the number of consecutive terms.
const WG: u32 = 64u;
const RUN: u32 = 64u;
const VEC: bool = false;

struct Params {
  count: u32, columns: u32, rows: u32, rowsPerSlice: u32, slices: u32, unit: u32, total: u32, xOrigin: u32,
  width: u32, statistics: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read> stats: array<f32>;
@group(0) @binding(6) var<storage, read_write> partial: array<f32>;
@group(0) @binding(7) var<storage, read_write> partial4: array<vec4f>;

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
        let g = dy4[element];
        run += g;
        products = fma(g, x4[element] - mean, products);
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
        let g = dy[element];
        run += g;
        products = fma(g, x[element] - mean, products);
      }
      sum += run;
      product += products;
    }
    partial[to] = sum;
    partial[p.total + to] = product * stats[p.statistics + at];
  }
}
