// Gather form of the convolution family, for adapters with subgroups.
//
//   y[n, oy, ox, g*Cout + co] (+)= bias + sum over taps (ky, kx) and ci of x[n, iy, ix, g*Cin + ci] * w[tap, ci, g, co]
//
//   epilogue              y = (y - mean) * scale + shift with HAS_NORM, + residual, then the activation (1 ReLU, 2
//                         ReLU6); `bias` then holds [4, outC]: bias, mean, scale, shift
//   forward convolution   iy = oy*stride - pad + ky*dilation
//   TRANSPOSED            oy = iy*stride - pad + ky*dilation, solved for iy: an output row of phase r = oy % stride
//                         sees only the taps ky = first, first + step, ..., and iy moves by a whole step a tap.
//
// As a matrix product: M = pixels of one phase, N = Cout of one group, K = taps * Cin.
//
// x [N, H, W, inC] and y [N, OH, OW, outC] channels last; bias [outC]. w holds rows of K, [taps, Cin, groups, wCols*4],
// padded to vec4; or with BY_COLUMN columns of K as in the weight of the other direction, [taps, Cout, groups, Cin],
// which saves the transpose. x/x4, w1/w and y/y4 are the same buffer seen as scalars and as vec4; the plan binds a
// dummy to the one that is not used. Elements have absolute numbers and are shifted by the origins, so operands may be
// parts. Only the rows [rowBegin, rowEnd) of w are summed, so that a weight larger than a binding can be taken in
// parts (ACCUMULATE).
//
// A workgroup is one subgroup of SG / SGN teams. A team owns TM pixels x SGN*TV*4 output channels: its lane l keeps TV
// vec4 columns of all TM pixels and loads the input of pixels l, l + SGN, ..., and the team shares these loads by
// shuffles. Few output channels take small teams, so that no lane is idle. There are no barriers.
enable subgroups;

const SG: u32 = 8u;
const SGN: u32 = 8u;
const TM: u32 = 16u;
const TV: u32 = 1u;
const VEC_IN: bool = true;
const VEC_OUT: bool = true;
const HAS_BIAS: bool = false;
const HAS_NORM: bool = false;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;
const ACCUMULATE: bool = false;
const TRANSPOSED: bool = false;
const BY_COLUMN: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias X4 = vec4f;
alias Y = f32;
alias Y4 = vec4f;
alias Residual = vec4f;

struct Params {
  tiles: u32, mTiles: u32, nTiles: u32, phases: u32,
  mBegin: u32, mEnd: u32,
  gridH: u32, gridW: u32,
  inH: u32, inW: u32, inC: u32, cin: u32,
  outH: u32, outW: u32, outC: u32, cout: u32,
  kernelH: u32, kernelW: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  gcdH: u32, gcdW: u32, inverseH: u32, inverseW: u32,
  wCols: u32, wStride: u32, wTap: u32, wOrigin: u32, rowBegin: u32, rowEnd: u32,
  xOrigin: u32, yOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> w1: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<Y>;
@group(0) @binding(7) var<storage, read_write> y4: array<Y4>;
@group(0) @binding(8) var<storage, read> residual: array<Residual>;

const LOADS: u32 = max(1u, TM / SGN);

// How one axis of the output walks over the taps: input = start*scale + offset + t*pace, tap = first + t*step, t <
// taps.
struct Axis { offset: i32, first: u32, step: u32, taps: u32, pace: i32 }

fn forwardAxis(kernel: u32, pad: u32, dilation: u32) -> Axis {
  return Axis(-i32(pad), 0u, 1u, kernel, i32(dilation));
}

fn transposedAxis(phase: u32, kernel: u32, stride: u32, pad: u32, dilation: u32, gcd: u32, inverse: u32) -> Axis {
  let position = phase + pad;
  let step = stride / gcd;
  let first = ((position / gcd) * inverse) % step;
  let reached = position % gcd == 0u && first < kernel;
  let taps = select(0u, (kernel - min(first, kernel) + step - 1u) / step, reached);
  return Axis((i32(position) - i32(first * dilation)) / i32(stride), first, step, taps, -i32(dilation / gcd));
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

// Four elements of the residual from `at` on.
fn residualAt(at: u32) -> vec4f {
  if (VEC_OUT) { return vec4f(residual[at / 4u]); }
  let e = at + vec4u(0u, 1u, 2u, 3u);
  return vec4f(vec4f(residual[e.x / 4u])[e.x % 4u], vec4f(residual[e.y / 4u])[e.y % 4u],
               vec4f(residual[e.z / 4u])[e.z % 4u], vec4f(residual[e.w / 4u])[e.w % 4u]);
}

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= p.tiles) { return; }
  let member = lane % SGN;
  // The first lane of the team. With one team it is a constant, which turns the shuffles into broadcasts.
  let team = select(lane - member, 0u, SGN == SG);
  let column = (id % p.nTiles) * SGN * TV + member;
  let m0 = p.mBegin + ((id / p.nTiles) % p.mTiles * (SG / SGN) + team / SGN) * TM;
  let z = id / (p.nTiles * p.mTiles);
  let phase = z % p.phases;
  let g = z / p.phases;

  var axisY = forwardAxis(p.kernelH, p.padH, p.dilationH);
  var axisX = forwardAxis(p.kernelW, p.padW, p.dilationW);
  var phaseY = 0u;
  var phaseX = 0u;
  if (TRANSPOSED) {
    phaseY = phase / p.strideW;
    phaseX = phase % p.strideW;
    axisY = transposedAxis(phaseY, p.kernelH, p.strideH, p.padH, p.dilationH, p.gcdH, p.inverseH);
    axisX = transposedAxis(phaseX, p.kernelW, p.strideW, p.padW, p.dilationW, p.gcdW, p.inverseW);
  }

  // The pixels whose input this lane loads.
  var startY: array<i32, LOADS>;
  var startX: array<i32, LOADS>;
  var image: array<u32, LOADS>;
  var inside: array<bool, LOADS>;
  for (var s = 0u; s < LOADS; s++) {
    let m = m0 + s * SGN + member % TM;
    let a = m / p.gridW;
    let sy = select(p.strideH, 1u, TRANSPOSED);
    let sx = select(p.strideW, 1u, TRANSPOSED);
    startY[s] = i32(a % p.gridH * sy) + axisY.offset;
    startX[s] = i32(m % p.gridW * sx) + axisX.offset;
    image[s] = a / p.gridH * p.inH;
    inside[s] = m < p.mEnd;
  }

  var acc: array<vec4f, TM * TV>;
  if (HAS_BIAS) {
    for (var v = 0u; v < TV; v++) {
      let c = (column + v * SGN) * 4u;
      let last = p.cout - 1u;
      let b = g * p.cout;
      let value = vec4f(bias[b + min(c, last)], bias[b + min(c + 1u, last)],
                        bias[b + min(c + 2u, last)], bias[b + min(c + 3u, last)]);
      for (var i = 0u; i < TM; i++) { acc[i * TV + v] = value; }
    }
  }

  for (var ty = 0u; ty < axisY.taps; ty++) {
    for (var tx = 0u; tx < axisX.taps; tx++) {
      let tap = (axisY.first + ty * axisY.step) * p.kernelW + axisX.first + tx * axisX.step;
      let row = tap * p.cin;
      let lo = clamp(p.rowBegin, row, row + p.cin) - row;
      let hi = clamp(p.rowEnd, row, row + p.cin) - row;
      var base: array<u32, LOADS>;
      var valid: array<bool, LOADS>;
      for (var s = 0u; s < LOADS; s++) {
        let iy = startY[s] + i32(ty) * axisY.pace;
        let ix = startX[s] + i32(tx) * axisX.pace;
        valid[s] = inside[s] && iy >= 0 && iy < i32(p.inH) && ix >= 0 && ix < i32(p.inW);
        let element = ((image[s] + u32(iy)) * p.inW + u32(ix)) * p.inC + g * p.cin - p.xOrigin;
        base[s] = select(0u, element, valid[s]);
      }
      let wBase = (row - p.rowBegin) * p.wStride + g * p.wCols + column;
      // Where this tap's four columns of K begin.
      var wColumn: array<vec4u, TV>;
      if (BY_COLUMN) {
        for (var v = 0u; v < TV; v++) {
          let n = min((column + v * SGN) * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.cout - 1u));
          wColumn[v] = n * p.wStride + (tap * p.wTap + g * p.cin - p.wOrigin);
        }
      }
      if (VEC_IN) {
        for (var k = lo; k < hi; k += 4u) {
          var a: array<vec4f, LOADS>;
          for (var s = 0u; s < LOADS; s++) { a[s] = select(vec4f(), vec4f(x4[(base[s] + k) / 4u]), valid[s]); }
          var block: array<mat4x4f, TV>;
          if (BY_COLUMN) {
            for (var v = 0u; v < TV; v++) {
              let at = (wColumn[v] + k) / 4u;
              block[v] = mat4x4f(w[at.x], w[at.y], w[at.z], w[at.w]);
            }
          }
          for (var j = 0u; j < 4u; j++) {
            var b: array<vec4f, TV>;
            for (var v = 0u; v < TV; v++) {
              if (BY_COLUMN) {
                b[v] = vec4f(block[v][0][j], block[v][1][j], block[v][2][j], block[v][3][j]);
              } else {
                b[v] = w[wBase + (k + j) * p.wStride + v * SGN];
              }
            }
            for (var i = 0u; i < TM; i++) {
              let value = vec4f(subgroupShuffle(a[i / SGN][j], team + i % SGN));
              for (var v = 0u; v < TV; v++) { acc[i * TV + v] = fma(value, b[v], acc[i * TV + v]); }
            }
          }
        }
      } else {
        for (var k = lo; k < hi; k++) {
          var a: array<f32, LOADS>;
          for (var s = 0u; s < LOADS; s++) { a[s] = select(0.0, f32(x[base[s] + k]), valid[s]); }
          var b: array<vec4f, TV>;
          for (var v = 0u; v < TV; v++) {
            if (BY_COLUMN) {
              let at = wColumn[v] + k;
              b[v] = vec4f(w1[at.x], w1[at.y], w1[at.z], w1[at.w]);
            } else {
              b[v] = w[wBase + k * p.wStride + v * SGN];
            }
          }
          for (var i = 0u; i < TM; i++) {
            let value = vec4f(subgroupShuffle(a[i / SGN], team + i % SGN));
            for (var v = 0u; v < TV; v++) { acc[i * TV + v] = fma(value, b[v], acc[i * TV + v]); }
          }
        }
      }
    }
  }

  var norm: array<mat3x4f, TV>;
  if (HAS_NORM) {
    for (var v = 0u; v < TV; v++) {
      let c = min((column + v * SGN) * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.cout - 1u));
      norm[v] = normOf(g * p.cout + c, p.outC);
    }
  }
  let sy = select(1u, p.strideH, TRANSPOSED);
  let sx = select(1u, p.strideW, TRANSPOSED);
  for (var i = 0u; i < TM; i++) {
    let m = m0 + i;
    let a = m / p.gridW;
    let oy = a % p.gridH * sy + phaseY;
    let ox = m % p.gridW * sx + phaseX;
    if (m < p.mEnd && oy < p.outH && ox < p.outW) {
      let pixel = ((a / p.gridH * p.outH + oy) * p.outW + ox) * p.outC + g * p.cout - p.yOrigin;
      for (var v = 0u; v < TV; v++) {
        let c = (column + v * SGN) * 4u;
        if (VEC_OUT) {
          if (c < p.cout) {
            let at = pixel + c;
            var sum = acc[i * TV + v];
            if (ACCUMULATE) { sum += vec4f(y4[at / 4u]); }
            y4[at / 4u] = Y4(finish(sum, norm[v], residualAt(at)));
          }
        } else {
          let at = pixel + c;
          var sum = acc[i * TV + v];
          if (ACCUMULATE) {
            for (var j = 0u; j < 4u; j++) {
              if (c + j < p.cout) { sum[j] += f32(y[at + j]); }
            }
          }
          let value = finish(sum, norm[v], residualAt(at));
          for (var j = 0u; j < 4u; j++) {
            if (c + j < p.cout) { y[at + j] = Y(value[j]); }
          }
        }
      }
    }
  }
}
