// Group normalisation: y[n, m, c] = (x[n, m, c] - mean[n, g]) * invStd[n, g] * weight[c] + bias[c], g = c / width.
//
// x, y [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd. A thread owns one channel of ROWS rows of an
// image, of which there are `blocks`, so that it reads the statistics once. x and y may be windows of a run of blocks that begins
// with number p.unit.
const WG: u32 = 64u;
const ROWS: u32 = 8u;
const HAS_WEIGHT: bool = true;
const HAS_BIAS: bool = true;

struct Params { count: u32, channels: u32, width: u32, rows: u32, blocks: u32, statistics: u32, unit: u32, xOrigin: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let block = p.unit + id / p.channels;
  let image = block / p.blocks;
  let first = block % p.blocks * ROWS;
  let at = (image * p.channels + c) / p.width;
  let mean = stats[at];
  var scale = stats[p.statistics + at];
  if (HAS_WEIGHT) { scale *= weight[c]; }
  var shift = 0.0;
  if (HAS_BIAS) { shift = bias[c]; }
  let begin = (image * p.rows + first) * p.channels + c - p.xOrigin;
  let length = min(p.rows - first, ROWS);
  for (var i = 0u; i < length; i++) {
    let place = begin + i * p.channels;
    y[place] = (x[place] - mean) * scale + shift;
  }
}
