// Normalisation, with what often follows it, g = c / width:
//
//   y[n, m, c] = activate((x[n, m, c] - mean[n, g]) * invStd[n, g] * weight[c] + bias[c] + residual[n, m, c])
//
// x, residual, y [N, rows, C], channels last; stats [2, N, G] holds mean, then invStd; weight and bias [C]. x, residual
// and y may be parts that begin at p.xOrigin and hold consecutive blocks of ROWS rows, numbered through all images from
// p.unit on. A thread owns one channel of one block, or four channels (VEC: columns and xOrigin count vec4), so that it
// reads the statistics once. ACTIVATION is 0 for none, 1 for ReLU, 2 for ReLU6.
const WG: u32 = 64u;
const ROWS: u32 = 16u;
const VEC: bool = false;
const HAS_WEIGHT: bool = true;
const HAS_BIAS: bool = true;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;
alias Residual = vec4f;
alias Y = f32;
alias Y4 = vec4f;

struct Params {
  count: u32, columns: u32, rows: u32, blocks: u32, width: u32, statistics: u32, unit: u32, xOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> residual: array<Residual>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Y>;
@group(0) @binding(7) var<storage, read_write> y4: array<Y4>;

// Mean, scale and shift of channel c of an image whose first channel is number `image`.
fn transform(image: u32, c: u32) -> vec3f {
  let at = (image + c) / p.width;
  var scale = stats[p.statistics + at];
  var shift = 0.0;
  if (HAS_WEIGHT) { scale *= weight[c]; }
  if (HAS_BIAS) { shift = bias[c]; }
  return vec3f(stats[at], scale, shift);
}

// max(v, 0), or with ACTIVATION 2 min(max(v, 0), 6). NaN stays NaN.
fn activate(v: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  if (ACTIVATION == 1u) { return select(max(v, vec4f()), v, isNan); }
  if (ACTIVATION == 2u) { return select(clamp(v, vec4f(), vec4f(6.0)), v, isNan); }
  return v;
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
    for (var at = begin; at < end; at += p.columns) {
      var value = (vec4f(x[at]) - t[0]) * t[1] + t[2];
      if (HAS_RESIDUAL) { value += vec4f(residual[at]); }
      y4[at] = Y4(activate(value));
    }
  } else {
    let t = transform(image * p.columns, column);
    for (var at = begin; at < end; at += p.columns) {
      var value = (vec4f(x[at / 4u])[at % 4u] - t.x) * t.y + t.z;
      if (HAS_RESIDUAL) { value += vec4f(residual[at / 4u])[at % 4u]; }
      y[at] = Y(activate(vec4f(value)).x);
    }
  }
}
