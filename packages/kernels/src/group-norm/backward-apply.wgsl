// Input gradient of group normalisation, g = c / width, xhat = (x - mean[n, g]) * invStd[n, g]:
//
//   dx[n, m, c] = invStd[n, g] * (weight[c] * dy[n, m, c] - terms[0, n, g] - xhat * terms[1, n, g])
//
// x, dy, dx [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd; terms [2, N, G] from backward-terms.wgsl. A
// thread owns one channel of ROWS rows of an image, of which there are `blocks`. x, dy and dx may be windows of a run of
// blocks that begins with number p.unit.
const WG: u32 = 64u;
const ROWS: u32 = 8u;
const HAS_WEIGHT: bool = true;

struct Params { count: u32, channels: u32, width: u32, rows: u32, blocks: u32, statistics: u32, unit: u32, xOrigin: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> terms: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;

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
  let invStd = stats[p.statistics + at];
  let offset = terms[at] * invStd;
  let slope = terms[p.statistics + at] * invStd * invStd;
  var scale = invStd;
  if (HAS_WEIGHT) { scale *= weight[c]; }
  let begin = (image * p.rows + first) * p.channels + c - p.xOrigin;
  let length = min(p.rows - first, ROWS);
  for (var i = 0u; i < length; i++) {
    let place = begin + i * p.channels;
    dx[place] = scale * dy[place] - slope * (x[place] - mean) - offset;
  }
}
