// Normalisation, second pass of the statistics: the slices and channels of each group, merged in order by Chan's rule
// relative to the first mean.
//
//   stats[0, n, g] = mean      stats[1, n, g] = 1 / sqrt(m2 / (rows * width) + eps)
//   runningMean += momentum * (mean - runningMean)
//   runningVar += momentum * (m2 / (rows * width - 1) - runningVar)
//
// partial [2, N, slices, C] from moments.wgsl, a group being `width` neighbouring channels; stats [2, N, G].
// runningMean and runningVar [G] are updated with HAS_RUNNING, which assumes N = 1. A thread owns a group of an image.
const WG: u32 = 64u;
const HAS_RUNNING: bool = false;

struct Params {
  count: u32, channels: u32, width: u32, rows: u32, rowsPerSlice: u32, slices: u32, eps: f32, momentum: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;
@group(0) @binding(3) var<storage, read_write> runningMean: array<f32>;
@group(0) @binding(4) var<storage, read_write> runningVar: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let perImage = p.channels / p.width;
  let begin = id / perImage * p.slices * p.channels + id % perImage * p.width;
  let second = p.count / perImage * p.slices * p.channels;
  let origin = partial[begin];
  var mean = 0.0;
  var m2 = 0.0;
  var seen = 0u;
  for (var s = 0u; s < p.slices; s++) {
    let more = min(p.rows - s * p.rowsPerSlice, p.rowsPerSlice);
    for (var c = 0u; c < p.width; c++) {
      let at = begin + s * p.channels + c;
      let delta = partial[at] - origin - mean;
      let total = seen + more;
      mean += delta * (f32(more) / f32(total));
      m2 += partial[second + at] + delta * delta * (f32(seen) * f32(more) / f32(total));
      seen = total;
    }
  }
  mean += origin;
  stats[id] = mean;
  stats[p.count + id] = 1.0 / sqrt(m2 / f32(seen) + p.eps);
  if (HAS_RUNNING) {
    runningMean[id] = (1.0 - p.momentum) * runningMean[id] + p.momentum * mean;
    runningVar[id] = (1.0 - p.momentum) * runningVar[id] + p.momentum * (m2 / f32(seen - 1u));
  }
}
