// Normalisation, first pass of the statistics: mean and sum of squared deviations (m2) of each channel in each slice of
// an image's rows.
//
//   mean = sum of x[n, m, c] / count      m2 = sum of (x[n, m, c] - mean)^2      over the rows m of slice s
//
// x [N, rows, C], channels last; partial [2, N, slices, C] holds the means, then m2. x may be a part that begins at
// p.xOrigin and holds consecutive slices, numbered through all images from p.unit on. A thread owns one channel of one
// slice of rowsPerSlice rows, or four channels (VEC: columns, total and xOrigin count vec4). No slice is empty.
//
// Welford's recurrence on the distances from the slice's first row keeps its digits where the mean is far from zero. It
// covers RUN rows at a time, merged by Chan's rule, because its error grows with the number of consecutive rows.
const WG: u32 = 64u;
const RUN: u32 = 128u;
const VEC: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;

struct Params {
  count: u32, columns: u32, rows: u32, rowsPerSlice: u32, slices: u32, unit: u32, total: u32, xOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;
@group(0) @binding(3) var<storage, read_write> partial4: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let column = id % p.columns;
  let slice = p.unit + id / p.columns;
  let first = slice % p.slices * p.rowsPerSlice;
  let base = slice / p.slices * p.rows * p.columns + column - p.xOrigin;
  let end = min(p.rows, first + p.rowsPerSlice);
  let to = slice * p.columns + column;
  if (VEC) {
    let origin = vec4f(x[base + first * p.columns]);
    var mean = vec4f();
    var m2 = vec4f();
    for (var start = first; start < end; start += RUN) {
      var runMean = vec4f();
      var runM2 = vec4f();
      var seen = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        seen += 1.0;
        let v = vec4f(x[base + row * p.columns]) - origin;
        let delta = v - runMean;
        runMean += delta * (1.0 / seen);
        runM2 += delta * (v - runMean);
      }
      let before = f32(start - first);
      let delta = runMean - mean;
      mean += delta * (seen / (before + seen));
      m2 += runM2 + delta * delta * (before * seen / (before + seen));
    }
    partial4[to] = origin + mean;
    partial4[p.total + to] = m2;
  } else {
    let begin = base + first * p.columns;
    let origin = vec4f(x[begin / 4u])[begin % 4u];
    var mean = 0.0;
    var m2 = 0.0;
    for (var start = first; start < end; start += RUN) {
      var runMean = 0.0;
      var runM2 = 0.0;
      var seen = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        seen += 1.0;
        let element = base + row * p.columns;
        let v = vec4f(x[element / 4u])[element % 4u] - origin;
        let delta = v - runMean;
        runMean += delta / seen;
        runM2 += delta * (v - runMean);
      }
      let before = f32(start - first);
      let delta = runMean - mean;
      mean += delta * (seen / (before + seen));
      m2 += runM2 + delta * delta * (before * seen / (before + seen));
    }
    partial[to] = origin + mean;
    partial[p.total + to] = m2;
  }
}
