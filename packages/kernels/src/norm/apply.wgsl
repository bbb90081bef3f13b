// Normalisation: y[n, m, c] = (x[n, m, c] - mean[n, g]) * invStd[n, g] * weight[c] + bias[c],  g = c / width.
//
// x, y [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd; weight and bias [C]. x and y may be
// parts that begin at p.xOrigin and hold consecutive blocks of ROWS rows, numbered through all images from p.unit on. A
// thread owns one channel of one block, or four channels (VEC: the vec4 bindings are used, and columns and xOrigin
// count vec4), so that it reads the statistics once.
const WG: u32 = 64u;
const ROWS: u32 = 16u;
const VEC: bool = false;
const HAS_WEIGHT: bool = true;
const HAS_BIAS: bool = true;

struct Params {
  count: u32, columns: u32, rows: u32, blocks: u32, width: u32, statistics: u32, unit: u32, xOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<storage, read_write> y4: array<vec4f>;

// Mean, scale and shift of channel c of an image whose first channel is number `image`.
fn transform(image: u32, c: u32) -> vec3f {
  let at = (image + c) / p.width;
  var scale = stats[p.statistics + at];
  var shift = 0.0;
  if (HAS_WEIGHT) { scale *= weight[c]; }
  if (HAS_BIAS) { shift = bias[c]; }
  return vec3f(stats[at], scale, shift);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let column = id % p.columns;
  let block = p.unit + id / p.columns;
  let image = block / p.blocks;
  let first = block % p.blocks * ROWS;
  let begin = (image * p.rows + first) * p.columns + column - p.xOrigin;
  let end = begin + min(p.rows - first, ROWS) * p.columns;
  if (VEC) {
    let c = column * 4u;
    let channel = image * p.columns * 4u;
    let t = transpose(mat4x3f(transform(channel, c), transform(channel, c + 1u),
                              transform(channel, c + 2u), transform(channel, c + 3u)));
    for (var at = begin; at < end; at += p.columns) { y4[at] = (x4[at] - t[0]) * t[1] + t[2]; }
  } else {
    let t = transform(image * p.columns, column);
    for (var at = begin; at < end; at += p.columns) { y[at] = (x[at] - t.x) * t.y + t.z; }
  }
}
