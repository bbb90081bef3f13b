// First pass of the gradient's two sums, of each channel in each slice of an image's rows:
//
//   partial[0, n, s, c] = sum of dy      partial[1, n, s, c] = sum of dy * (x - mean[n, g]) * invStd[n, g],  g = c / width
//
// x, dy [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd. A thread owns one channel of one slice of
// rowsPerSlice rows. x and dy may be windows of a run of slices that begins with number p.unit. RUN rows are added in a row,
// then those sums: the error of a sum grows with the terms in a row.
const WG: u32 = 64u;
const RUN: u32 = 64u;

struct Params { count: u32, channels: u32, width: u32, rows: u32, rowsPerSlice: u32, slices: u32, statistics: u32, unit: u32, total: u32, xOrigin: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let slice = p.unit + id / p.channels;
  let image = slice / p.slices;
  let first = slice % p.slices * p.rowsPerSlice;
  let begin = (image * p.rows + first) * p.channels + c - p.xOrigin;
  let length = min(p.rows - first, p.rowsPerSlice);
  let at = (image * p.channels + c) / p.width;
  let mean = stats[at];
  var sum = 0.0;
  var product = 0.0;
  for (var start = 0u; start < length; start += RUN) {
    var run = 0.0;
    var products = 0.0;
    for (var i = start; i < min(length, start + RUN); i++) {
      let place = begin + i * p.channels;
      let g = dy[place];
      run += g;
      products = fma(g, x[place] - mean, products);
    }
    sum += run;
    product += products;
  }
  let to = slice * p.channels + c;
  partial[to] = sum;
  partial[p.total + to] = product * stats[p.statistics + at];
}
