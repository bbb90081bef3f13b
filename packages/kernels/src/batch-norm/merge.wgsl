// Second pass of the batch statistics: the slices of moments.wgsl merged in order by Chan's rule, relative to the
// mean of the first slice.
//
//   stats[0, c] = mean      stats[1, c] = 1 / sqrt(m2 / rows + eps)
//   runningMean += momentum * (mean - runningMean)      runningVar += momentum * (m2 / (rows - 1) - runningVar)
//
// partial [2, slices, C]; stats [2, C]; runningMean and runningVar [C], updated where HAS_RUNNING. A thread owns a channel.
const WG: u32 = 64u;
const HAS_RUNNING: bool = true;

struct Params { count: u32, rows: u32, rowsPerSlice: u32, slices: u32, eps: f32, momentum: f32 }

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
  let origin = partial[id];
  var mean = 0.0;
  var m2 = 0.0;
  var seen = 0u;
  for (var s = 0u; s < p.slices; s++) {
    let more = min(p.rows - seen, p.rowsPerSlice);
    let delta = partial[s * p.count + id] - origin - mean;
    let total = seen + more;
    mean += delta * (f32(more) / f32(total));
    m2 += partial[(p.slices + s) * p.count + id] + delta * delta * (f32(seen) * f32(more) / f32(total));
    seen = total;
  }
  mean += origin;
  stats[id] = mean;
  stats[p.count + id] = 1.0 / sqrt(m2 / f32(p.rows) + p.eps);
  if (HAS_RUNNING) {
    runningMean[id] = (1.0 - p.momentum) * runningMean[id] + p.momentum * mean;
    runningVar[id] = (1.0 - p.momentum) * runningVar[id] + p.momentum * (m2 / f32(p.rows - 1u));
  }
}
