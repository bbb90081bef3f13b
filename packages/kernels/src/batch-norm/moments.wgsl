// First pass of the batch statistics: mean and sum of squared deviations (m2) of each slice of rows, by Welford's
// recurrence on the distances from the slice's first row, which keeps its digits where the mean is far from zero.
//
// x [rows, C], channels last; partial [2, slices, C] holds the means, then m2. A thread owns one channel of one slice of
// rowsPerSlice rows, or four channels (VEC: x4 is used and p.columns counts vec4). No slice is empty. x may be a window: its rows
// begin at element p.first of it, and its slices at p.base. The recurrence runs over RUN rows, whose results are merged by Chan's rule: its
// error grows with the rows in a row.
const WG: u32 = 64u;
const RUN: u32 = 128u;
const VEC: bool = false;

struct Params { count: u32, columns: u32, rows: u32, rowsPerSlice: u32, slices: u32, base: u32, first: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> partial: array<f32>;
@group(0) @binding(4) var<storage, read_write> partial4: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.columns;
  let begin = id / p.columns * p.rowsPerSlice;
  let end = min(p.rows, begin + p.rowsPerSlice);
  let to = p.base + id;
  let second = p.slices * p.columns + to;
  if (VEC) {
    let origin = x4[p.first + begin * p.columns + c];
    var mean = vec4f();
    var m2 = vec4f();
    for (var start = begin; start < end; start += RUN) {
      var runMean = vec4f();
      var runM2 = vec4f();
      var seen = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        seen += 1.0;
        let v = x4[p.first + row * p.columns + c] - origin;
        let delta = v - runMean;
        runMean += delta * (1.0 / seen);
        runM2 += delta * (v - runMean);
      }
      let before = f32(start - begin);
      let delta = runMean - mean;
      mean += delta * (seen / (before + seen));
      m2 += runM2 + delta * delta * (before * seen / (before + seen));
    }
    partial4[to] = origin + mean;
    partial4[second] = m2;
  } else {
    let origin = x[p.first + begin * p.columns + c];
    var mean = 0.0;
    var m2 = 0.0;
    for (var start = begin; start < end; start += RUN) {
      var runMean = 0.0;
      var runM2 = 0.0;
      var seen = 0.0;
      for (var row = start; row < min(end, start + RUN); row++) {
        seen += 1.0;
        let v = x[p.first + row * p.columns + c] - origin;
        let delta = v - runMean;
        runMean += delta / seen;
        runM2 += delta * (v - runMean);
      }
      let before = f32(start - begin);
      let delta = runMean - mean;
      mean += delta * (seen / (before + seen));
      m2 += runM2 + delta * delta * (before * seen / (before + seen));
    }
    partial[to] = origin + mean;
    partial[second] = m2;
  }
}
