// Gather form of the convolution family through workgroup memory: the equation, buffers and parameters of
// gather-subgroup.wgsl.
//
//   y[n, oy, ox, g*Cout + co] (+)= bias + sum over taps (ky, kx) and ci of x[n, iy, ix, g*Cin + ci] * w[tap, ci, g, co]
//
// An implicit matrix product: M = pixels of one phase, N = Cout of one group, K = taps * Cin. A workgroup owns BM
// pixels by 4*N4 channels and takes BK of K a step: its threads bring that much of x and w into workgroup memory, zeros
// where a tap lies outside the image, and each sums TM pixels by 4*TV channels from there. A word from memory so serves
// a whole row or column of the tile.
//
// A vec4 of xTile holds four k of a pixel; one of wTile four channels of a k, or BY_COLUMN four k of a channel. The
// pixels and channels of a thread lie PM and PN apart, so that neighbouring threads touch neighbouring words.
//
// With MERGED the taps of a row of the kernel are one run of K: in channels-last images of one group they are adjacent.
// That is for images of few channels, of which a single tap would leave most of a step empty.
//
// Rows and columns of x, and the reach of the kernel, are below 2^15.
//
// K may be cut into runs of rowsPerSplit rows; each writes a slice of y, and finish-slices.wgsl sums the slices.
// Each lane sums much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
const TM: u32 = 8u;
const TV: u32 = 1u;
const PM: u32 = 8u;
const PN: u32 = 16u;
const BK: u32 = 8u;
const VEC_IN: bool = true;
const VEC_OUT: bool = true;
const HAS_BIAS: bool = false;
const HAS_NORM: bool = false;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;
const ACCUMULATE: bool = false;
const TRANSPOSED: bool = false;
const BY_COLUMN: bool = false;
const MERGED: bool = false;
// Whether the rows of a tap may end in the middle of a step.
const TAIL: bool = true;

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
  groups: u32, rowsPerSplit: u32, ySlice: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<Y>;
@group(0) @binding(6) var<storage, read_write> y4: array<Y4>;
@group(0) @binding(7) var<storage, read> residual: array<Residual>;

const WG: u32 = PM * PN;
const BM: u32 = TM * PM;
const K4: u32 = BK / 4u;
const N4: u32 = TV * PN;
// What a thread brings of each operand, in vec4: pixels STEP_X apart of x; rows, or channels, STEP_W apart of w.
const STEP_X: u32 = WG / K4;
const LOADS_X: u32 = (BM * K4 + WG - 1u) / WG;
const STEP_W: u32 = select(WG / N4, STEP_X, BY_COLUMN);
const LOADS_W: u32 = (BK * N4 + WG - 1u) / WG;
// Whether all threads bring some of it.
const ALL_X: bool = BM * K4 % WG == 0u;
const ALL_W: bool = BK * N4 % WG == 0u;
// One vec4 more a row, so that the threads that write a pixel's four k meet different banks.
const ROW_X: u32 = BM + 1u;
const ROW_W: u32 = 4u * N4 + 1u;
const QUAD_W: u32 = select(4u * N4, ROW_W, BY_COLUMN);
// The start of a pixel past the last: above all rows, whatever the tap.
const NOWHERE: u32 = 0x80000000u;
const UNIT: u32 = select(1u, 4u, VEC_IN);
var<workgroup> xTile: array<vec4f, K4 * ROW_X>;
var<workgroup> wTile: array<vec4f, select(BK * N4, K4 * ROW_W, BY_COLUMN)>;

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

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= p.tiles) { return; }
  let n0 = id % p.nTiles * N4;
  let m0 = p.mBegin + id / p.nTiles % p.mTiles * BM;
  let z = id / (p.nTiles * p.mTiles);
  let phase = z % p.phases;
  let g = z / p.phases % p.groups;
  let split = z / (p.phases * p.groups);
  let rowBegin = p.rowBegin + split * p.rowsPerSplit;
  let rowEnd = min(p.rowEnd, rowBegin + p.rowsPerSplit);

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
  // Rows of K in a row.
  let run = select(p.cin, p.cin * p.kernelW, MERGED);
  let tapsX = select(axisX.taps, 1u, MERGED);

  // The pixels of x that this thread brings: where their first tap lies, row and column in halves of a word since
  // registers are scarce, and its element. Their part of four k is partK.
  let partK = local % K4;
  let fromX = local / K4;
  let xAt = partK * ROW_X + fromX;
  var start: array<u32, LOADS_X>;
  var first: array<u32, LOADS_X>;
  for (var s = 0u; s < LOADS_X; s++) {
    let m = m0 + fromX + s * STEP_X;
    let a = m / p.gridW;
    let iy = i32(a % p.gridH * select(p.strideH, 1u, TRANSPOSED)) + axisY.offset;
    let ix = i32(m % p.gridW * select(p.strideW, 1u, TRANSPOSED)) + axisX.offset;
    start[s] = select(NOWHERE, u32(iy << 16u) | (u32(ix) & 0xffffu), m < p.mEnd);
    first[s] = u32((i32(a / p.gridH * p.inH) + iy) * i32(p.inW) + ix) * p.inC + g * p.cin - p.xOrigin + partK * 4u;
  }

  // And of w. What lies past the last channel is another's, and its sums are not stored.
  let column = n0 + local % N4;
  let fromW = select(local / N4, fromX, BY_COLUMN);
  var wFirst: array<u32, LOADS_W>;
  for (var s = 0u; s < LOADS_W; s++) {
    let channel = min(n0 * 4u + fromW + s * STEP_W, p.cout - 1u);
    let byColumn = channel * p.wStride + g * p.cin - p.wOrigin + partK * 4u;
    let byRow = (fromW + s * STEP_W) * p.wStride + g * p.wCols + min(column, p.wCols - 1u);
    wFirst[s] = select(byRow, byColumn, BY_COLUMN);
  }

  let tx = local % PN;
  let ty = local / PN;
  var acc: array<vec4f, TM * TV>;
  for (var ky = 0u; ky < axisY.taps; ky++) {
    for (var kx = 0u; kx < tapsX; kx++) {
      let tap = (axisY.first + ky * axisY.step) * p.kernelW + select(axisX.first + kx * axisX.step, 0u, MERGED);
      let row = tap * p.cin;
      let lo = clamp(rowBegin, row, row + run) - row;
      let hi = clamp(rowEnd, row, row + run) - row;
      let moveY = i32(ky) * axisY.pace;
      let moveX = i32(kx) * axisX.pace;
      let offset = u32(moveY * i32(p.inW) + moveX) * p.inC + lo;
      var at: array<u32, LOADS_X>;
      var inside: array<bool, LOADS_X>;
      for (var s = 0u; s < LOADS_X; s++) {
        let isRow = u32((i32(start[s]) >> 16u) + moveY) < p.inH;
        inside[s] = isRow && (MERGED || u32((i32(start[s] << 16u) >> 16u) + moveX) < p.inW);
        at[s] = select(0u, first[s] + offset, inside[s]) / UNIT;
      }
      let wMove = select((row + lo - p.rowBegin) * p.wStride, tap * p.wTap + lo, BY_COLUMN);
      let steps = (hi - lo + BK - 1u) / BK;
      for (var step = 0u; step < steps; step++) {
        let k = lo + step * BK;
        var a: array<vec4f, LOADS_X>;
        for (var s = 0u; s < LOADS_X; s++) {
          let here = at[s] + step * (BK / UNIT);
          if (VEC_IN) {
            a[s] = select(vec4f(), vec4f(x4[here]), inside[s] && (!TAIL || k + partK * 4u < hi));
          } else {
            let part = k + partK * 4u + vec4u(0u, 1u, 2u, 3u);
            var valid = vec4<bool>(inside[s]) & (part < vec4u(hi));
            if (MERGED) {
              valid &= vec4u((i32(start[s] << 16u) >> 16u) * i32(p.cin) + vec4i(part)) < vec4u(p.inW * p.cin);
            }
            let values = vec4f(f32(x[here]), f32(x[here + 1u]), f32(x[here + 2u]), f32(x[here + 3u]));
            a[s] = select(vec4f(), values, valid);
          }
        }
        var b: array<vec4f, LOADS_W>;
        for (var s = 0u; s < LOADS_W; s++) {
          if (BY_COLUMN) {
            b[s] = w[(wFirst[s] + wMove) / 4u + step * K4];
          } else {
            b[s] = w[wFirst[s] + wMove + step * BK * p.wStride];
          }
          let isRow = k + select(fromW + s * STEP_W, partK * 4u, BY_COLUMN) < hi;
          b[s] = select(vec4f(), b[s], !TAIL || isRow);
        }
        workgroupBarrier();
        for (var s = 0u; s < LOADS_X; s++) {
          if (ALL_X || local + s * WG < BM * K4) { xTile[xAt + s * STEP_X] = a[s]; }
        }
        for (var s = 0u; s < LOADS_W; s++) {
          if (!ALL_W && local + s * WG >= BK * N4) { continue; }
          if (BY_COLUMN) {
            let n = fromX + s * STEP_W;
            wTile[partK * ROW_W + n % 4u * N4 + n / 4u] = b[s];
          } else {
            wTile[local + s * WG] = b[s];
          }
        }
        workgroupBarrier();
        // All of w comes first and then pixel by pixel, which keeps few values in registers. In a function of its own
        // the ranges of tx and ty would be unknown, and every index clamped.
        for (var q = 0u; q < K4; q++) {
          var r: array<vec4f, 4u * TV>;
          for (var v = 0u; v < TV; v++) {
            for (var j = 0u; j < 4u; j++) {
              r[v * 4u + j] = wTile[tx + v * PN + j * N4 + q * QUAD_W];
            }
          }
          for (var i = 0u; i < TM; i++) {
            let l = xTile[q * ROW_X + ty + i * PM];
            for (var j = 0u; j < 4u; j++) {
              for (var v = 0u; v < TV; v++) {
                let t = v * 4u;
                let column = vec4f(r[t][j], r[t + 1u][j], r[t + 2u][j], r[t + 3u][j]);
                acc[i * TV + v] = fma(vec4f(l[j]), select(r[t + j], column, BY_COLUMN), acc[i * TV + v]);
              }
            }
          }
        }
      }
    }
  }

  for (var i = 0u; i < TM; i++) {
    let m = m0 + ty + i * PM;
    var pixel = m;
    var isInside = m < p.mEnd;
    if (p.phases > 1u) {
      let a = m / p.gridW;
      let oy = a % p.gridH * p.strideH + phaseY;
      let ox = m % p.gridW * p.strideW + phaseX;
      pixel = (a / p.gridH * p.outH + oy) * p.outW + ox;
      isInside = isInside && oy < p.outH && ox < p.outW;
    }
    for (var v = 0u; v < TV; v++) {
      let c = (n0 + tx + v * PN) * 4u;
      if (!isInside || c >= p.cout) { continue; }
      let at = split * p.ySlice + pixel * p.outC + g * p.cout + c - p.yOrigin;
      let channel = g * p.cout + min(c + vec4u(0u, 1u, 2u, 3u), vec4u(p.cout - 1u));
      var norm: mat3x4f;
      if (HAS_NORM) { norm = normOf(channel, p.outC); }
      var sum = acc[i * TV + v];
      if (HAS_BIAS) { sum += vec4f(bias[channel.x], bias[channel.y], bias[channel.z], bias[channel.w]); }
      if (VEC_OUT) {
        if (ACCUMULATE) { sum += vec4f(y4[at / 4u]); }
        y4[at / 4u] = Y4(finish(sum, norm, residualAt(at)));
      } else {
        if (ACCUMULATE) {
          for (var j = 0u; j < 4u; j++) {
            if (c + j < p.cout) { sum[j] += f32(y[at + j]); }
          }
        }
        let value = finish(sum, norm, residualAt(at));
        for (var j = 0u; j < 4u; j++) {
          if (c + j < p.cout) { y[at + j] = Y(value[j]); }
        }
      }
    }
  }
}
