// First pass of the statistics: mean and sum of squared deviations (m2) of each channel in each slice of an image's rows, by
// Welford's recurrence on the distances from the slice's first row, which keeps its digits where the mean is far from zero.
//
// x [N, rows, C], channels last; partial [2, N, slices, C] holds the means, then m2. A thread owns one channel of one slice of
// rowsPerSlice rows. No slice is empty. x may be a window of a run of slices that begins with number p.unit. The recurrence runs
// over RUN rows, whose results are merged by Chan's rule: its error grows with the rows in a row.
const WG: u32 = 64u;
const RUN: u32 = 128u;

struct Params { count: u32, channels: u32, rows: u32, rowsPerSlice: u32, slices: u32, unit: u32, total: u32, xOrigin: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> partial: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let slice = p.unit + id / p.channels;
  let c = id % p.channels;
  let image = slice / p.slices;
  let first = slice % p.slices * p.rowsPerSlice;
  let begin = (image * p.rows + first) * p.channels + c - p.xOrigin;
  let length = min(p.rows - first, p.rowsPerSlice);
  let origin = x[begin];
  var mean = 0.0;
  var m2 = 0.0;
  for (var start = 0u; start < length; start += RUN) {
    var runMean = 0.0;
    var runM2 = 0.0;
    var seen = 0.0;
    for (var i = start; i < min(length, start + RUN); i++) {
      seen += 1.0;
      let v = x[begin + i * p.channels] - origin;
      let delta = v - runMean;
      runMean += delta / seen;
      runM2 += delta * (v - runMean);
    }
    let before = f32(start);
    let delta = runMean - mean;
    mean += delta * (seen / (before + seen));
    m2 += runM2 + delta * delta * (before * seen / (before + seen));
  }
  let to = slice * p.channels + c;
  partial[to] = origin + mean;
  partial[p.total + to] = m2;
}
