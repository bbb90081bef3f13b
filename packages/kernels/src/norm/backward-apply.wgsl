// Input gradient of normalisation, g = c / width:
//
//   dx[n, m, c] = invStd[n, g] * weight[c] * d[n, m, c] - slope[n, g] * (x[n, m, c] - mean[n, g]) - offset[n, g]
//
// with d = dy, or 0 where the activation that gave y let nothing through. x, dy, y, dx [N, rows, C], channels last;
// weight [C]; terms [4, N, G] = mean, invStd, slope, offset from backward-merge.wgsl. FROZEN statistics do not depend
// on x: only the first term is left, and terms may be the statistics [2, N, G] alone. What is as large as x may be
// parts that begin at p.xOrigin and hold consecutive blocks of ROWS rows, numbered through all images from p.unit on. A
// thread owns one channel of one block, or four channels (VEC: columns and xOrigin count vec4). ACTIVATION is 0 for
// none, 1 for ReLU, 2 for ReLU6.
const WG: u32 = 64u;
const ROWS: u32 = 16u;
const VEC: bool = false;
const HAS_WEIGHT: bool = true;
const FROZEN: bool = false;
const ACTIVATION: u32 = 0u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;
alias Dx = f32;
alias Dx4 = vec4f;

struct Params {
  count: u32, columns: u32, rows: u32, blocks: u32, width: u32, statistics: u32, unit: u32, xOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<X>;
@group(0) @binding(3) var<storage, read> y: array<X>;
@group(0) @binding(4) var<storage, read> terms: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<Dx>;
@group(0) @binding(7) var<storage, read_write> dx4: array<Dx4>;

// Mean, scale, slope and offset of channel c of an image whose first channel is number `image`.
fn gradientTerms(image: u32, c: u32) -> vec4f {
  let at = (image + c) / p.width;
  var scale = terms[p.statistics + at];
  if (HAS_WEIGHT) { scale *= weight[c]; }
  if (FROZEN) { return vec4f(0.0, scale, 0.0, 0.0); }
  return vec4f(terms[at], scale, terms[2u * p.statistics + at], terms[3u * p.statistics + at]);
}

// The gradient of an activation that gave y: g where the activation let its input through.
fn activationGradient(g: vec4f, y: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(y) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  if (ACTIVATION == 1u) { return select(vec4f(), g, (y > vec4f()) | isNan); }
  if (ACTIVATION == 2u) { return select(vec4f(), g, ((y > vec4f()) & (y < vec4f(6.0))) | isNan); }
  return g;
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
    let t = transpose(mat4x4f(gradientTerms(channel, c), gradientTerms(channel, c + 1u),
                              gradientTerms(channel, c + 2u), gradientTerms(channel, c + 3u)));
    for (var at = begin; at < end; at += p.columns) {
      var g = vec4f(dy[at]);
      if (ACTIVATION > 0u) { g = activationGradient(g, vec4f(y[at])); }
      var value = t[1] * g;
      if (!FROZEN) { value -= t[2] * (vec4f(x[at]) - t[0]) + t[3]; }
      dx4[at] = Dx4(value);
    }
  } else {
    let t = gradientTerms(image * p.columns, column);
    for (var at = begin; at < end; at += p.columns) {
      let vector = at / 4u;
      let lane = at % 4u;
      var g = f32(dy[vector][lane]);
      if (ACTIVATION > 0u) { g = activationGradient(vec4f(g), vec4f(f32(y[vector][lane]))).x; }
      var value = t.y * g;
      if (!FROZEN) { value -= t.z * (f32(x[vector][lane]) - t.x) + t.w; }
      dx[at] = Dx(value);
    }
  }
}
