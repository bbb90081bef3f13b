// Depthwise convolution, forward and transposed: one filter a channel, groups = C.
//
//   y[n, oy, ox, c] = bias[c] + sum over taps (ky, kx) of  x[n, iy, ix, c] * w[tap, c], and the epilogue of
//                     gather-subgroup.wgsl
//
//   forward      iy = oy*stride - pad + ky*dilation
//   TRANSPOSED   oy = iy*stride - pad + ky*dilation, solved for iy: only taps of the right phase are visited, so that a
//                64x64 kernel at stride 32 (the bilinear upsampling of FCN) costs four products an output.
//
// x [N, H, W, C], w [taps, C], y [N, OH, OW, C], channels last; x and y may be parts that begin at their origins. A
// thread owns R outputs of one row that see the same taps, adjacent ones or with TRANSPOSED every stride-th, so that it
// loads each weight once for all of them, and for BLOCK taps of a row at a time the strip of x that they share: pixels
// SPACING apart, of which an output begins ADVANCE after the last and a tap PACE. With WHOLE the blocks hold all taps
// without a rest. With VEC it owns four channels: the vec4 bindings are used, and all counts of elements are in vec4.
// Each lane holds much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
const WG: u32 = 64u;
const R: u32 = 8u;
const VEC: bool = false;
const HAS_BIAS: bool = false;
const HAS_NORM: bool = false;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;
const TRANSPOSED: bool = false;
const BLOCK: u32 = 1u;
const WHOLE: bool = true;
const ADVANCE: u32 = 1u;
const PACE: u32 = 1u;
const SPACING: u32 = 1u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias X4 = vec4f;
alias Y = f32;
alias Y4 = vec4f;
alias Residual = vec4f;

struct Params {
  count: u32, lineBegin: u32, lineTiles: u32, phases: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  gcdH: u32, gcdW: u32, inverseH: u32, inverseW: u32,
  xOrigin: u32, yOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read> w: array<f32>;
@group(0) @binding(4) var<storage, read> w4: array<vec4f>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Y>;
@group(0) @binding(7) var<storage, read_write> y4: array<Y4>;
@group(0) @binding(8) var<storage, read> residual: array<Residual>;

const SPAN: u32 = ((R - 1u) * ADVANCE + (BLOCK - 1u) * PACE) / SPACING + 1u;

// Tap = first + t*step, t < taps, of the output at `out` reads input start + t*pace.
struct Axis { start: i32, pace: i32, first: u32, step: u32, taps: u32 }

fn axis(out: u32, kernel: u32, stride: u32, pad: u32, dilation: u32, gcd: u32, inverse: u32) -> Axis {
  if (!TRANSPOSED) { return Axis(i32(out * stride) - i32(pad), i32(dilation), 0u, 1u, kernel); }
  let position = out + pad;
  let step = stride / gcd;
  let first = ((position / gcd) % step * inverse) % step;
  let reached = position % gcd == 0u && first < kernel;
  let taps = select(0u, (kernel - min(first, kernel) + step - 1u) / step, reached);
  // Exact where taps > 0: the first tap was chosen so that the stride divides the reach.
  return Axis((i32(position) - i32(first * dilation)) / i32(stride), -i32(dilation / gcd), first, step, taps);
}

// Mean, scale and shift of four channels: rows of `length` that follow the bias.
fn normOf(channel: vec4u, length: u32) -> mat3x4f {
  let mean = channel + length;
  let scale = mean + length;
  let shift = scale + length;
  return mat3x4f(vec4f(bias[mean.x], bias[mean.y], bias[mean.z], bias[mean.w]),
                 vec4f(bias[scale.x], bias[scale.y], bias[scale.z], bias[scale.w]),
                 vec4f(bias[shift.x], bias[shift.y], bias[shift.z], bias[shift.w]));
}

// The epilogue of four channels.
fn finish(sum: vec4f, norm: mat3x4f, more: vec4f) -> vec4f {
  var value = sum;
  if (HAS_NORM) { value = (value - norm[0]) * norm[1] + norm[2]; }
  if (HAS_RESIDUAL) { value += more; }
  return activate(value);
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
  let c = id % p.channels;
  let column = id / p.channels;
  let phase = column % p.phases;
  let tile = column / p.phases % p.lineTiles;
  let line = p.lineBegin + column / (p.phases * p.lineTiles);
  let image = line / p.outH * p.inH;
  let ox = phase + tile * R * p.phases;
  let ay = axis(line % p.outH, p.kernelH, p.strideH, p.padH, p.dilationH, p.gcdH, p.inverseH);
  let ax = axis(ox, p.kernelW, p.strideW, p.padW, p.dilationW, p.gcdW, p.inverseW);

  var sum: array<f32, R>;
  var sum4: array<vec4f, R>;
  if (HAS_BIAS) {
    if (VEC) {
      let at = c * 4u;
      for (var r = 0u; r < R; r++) { sum4[r] = vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]); }
    } else {
      for (var r = 0u; r < R; r++) { sum[r] = bias[c]; }
    }
  }
  for (var ty = 0u; ty < ay.taps; ty++) {
    let iy = ay.start + i32(ty) * ay.pace;
    if (iy < 0 || iy >= i32(p.inH)) { continue; }
    let row = (image + u32(iy)) * p.inW;
    let tapRow = (ay.first + ty * ay.step) * p.kernelW;
    for (var begin = 0u; begin < ax.taps; begin += BLOCK) {
      let start = ax.start + i32(begin) * ax.pace - select(0, i32((BLOCK - 1u) * PACE), TRANSPOSED);
      var strip: array<f32, SPAN>;
      var strip4: array<vec4f, SPAN>;
      for (var i = 0u; i < SPAN; i++) {
        let ix = start + i32(i * SPACING);
        let inside = ix >= 0 && ix < i32(p.inW);
        let at = (row + u32(select(0, ix, inside))) * p.channels + c - p.xOrigin;
        if (VEC) {
          strip4[i] = select(vec4f(), vec4f(x4[at]), inside);
        } else {
          strip[i] = select(0.0, f32(x[at]), inside);
        }
      }
      for (var t = 0u; t < BLOCK; t++) {
        if (!WHOLE && begin + t >= ax.taps) { break; }
        let tap = (tapRow + ax.first + (begin + t) * ax.step) * p.channels + c;
        let place = select(t, BLOCK - 1u - t, TRANSPOSED) * PACE;
        if (VEC) {
          let weight = w4[tap];
          for (var r = 0u; r < R; r++) { sum4[r] = fma(strip4[(place + r * ADVANCE) / SPACING], weight, sum4[r]); }
        } else {
          let weight = w[tap];
          for (var r = 0u; r < R; r++) { sum[r] = fma(strip[(place + r * ADVANCE) / SPACING], weight, sum[r]); }
        }
      }
    }
  }
  var norm: mat3x4f;
  if (HAS_NORM) {
    let lanes = select(1u, 4u, VEC);
    norm = normOf(c * lanes + vec4u(0u, 1u, 2u, 3u) % lanes, p.channels * lanes);
  }
  for (var r = 0u; r < R; r++) {
    let to = ox + r * p.phases;
    if (to < p.outW) {
      let at = (line * p.outW + to) * p.channels + c - p.yOrigin;
      if (VEC) {
        y4[at] = Y4(finish(sum4[r], norm, vec4f(residual[at])));
      } else {
        y[at] = Y(finish(vec4f(sum[r]), norm, vec4f(vec4f(residual[at / 4u])[at % 4u])).x);
      }
    }
  }
}
