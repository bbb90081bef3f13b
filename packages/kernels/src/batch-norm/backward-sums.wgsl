// First pass of the gradient's two sums, of each slice of rows:
//
//   partial[0, s, c] = sum of dy[m, c]      partial[1, s, c] = sum of dy[m, c] * (x[m, c] - mean[c])
//
// x, dy [rows, C], channels last; stats [2, C] begins with the means. A thread owns one channel of one slice of
// rowsPerSlice rows, or four channels (VEC: the views with a 4 are used and p.columns counts vec4). x and dy may be
// windows: their rows begin at element p.first, and their slices at p.base. RUN rows are added in a row, then those sums: the error of a sum
// grows with the terms in a row.
const WG: u32 = 64u;
const RUN: u32 = 64u;
const VEC: bool = false;

struct Params { count: u32, columns: u32, rows: u32, rowsPerSlice: u32, slices: u32, base: u32, first: u32 }

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
  let begin = id / p.columns * p.rowsPerSlice;
  let end = min(p.rows, begin + p.rowsPerSlice);
  let to = p.base + id;
  let second = p.slices * p.columns + to;
  if (VEC) {
    let c = column * 4u;
    let mean = vec4f(stats[c], stats[c + 1u], stats[c + 2u], stats[c + 3u]);
    var sum = vec4f();
    var product = vec4f();
    for (var start = begin; start < end; start += RUN) {
      var run = vec4f();
      var products = vec4f();
      for (var row = start; row < min(end, start + RUN); row++) {
        let at = p.first + row * p.columns + column;
        let g = dy4[at];
        run += g;
        products = fma(g, x4[at] - mean, products);
      }
      sum += run;
      product += products;
    }
    partial4[to] = sum;
    partial4[second] = product;
  } else {
    let mean = stats[column];
    var sum = 0.0;
    var product = 0.0;
    for (var start = begin; start < end; start += RUN) {
      var run = 0.0;
      var products = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        let at = p.first + row * p.columns + column;
        let g = dy[at];
        run += g;
        products = fma(g, x[at] - mean, products);
      }
      sum += run;
      product += products;
    }
    partial[to] = sum;
    partial[second] = product;
  }
}
