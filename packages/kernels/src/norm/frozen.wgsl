// The statistics of batch normalisation in evaluation.
//
//   stats[0, c] = runningMean[c]      stats[1, c] = 1 / sqrt(runningVar[c] + eps)
//
// stats [2, C]; runningMean and runningVar [C]. A thread owns a channel.
const WG: u32 = 64u;

struct Params { count: u32, eps: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> runningMean: array<f32>;
@group(0) @binding(2) var<storage, read> runningVar: array<f32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  stats[id] = runningMean[id];
  stats[p.count + id] = 1.0 / sqrt(runningVar[id] + p.eps);
}
