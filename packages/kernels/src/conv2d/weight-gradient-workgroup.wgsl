// Gradient of the convolution weight through workgroup memory: the equation, buffers and parameters of
// weight-gradient-subgroup.wgsl.
//
//   dw[tap, ci, g, co] = sum over output pixels (n, oy, ox) of  x[n, iy, ix, g*Cin + ci] * dy[n, oy, ox, g*Cout + co]
//   with iy = oy*stride - pad + ky*dilation
//
// A matrix product: M = rows (tap, ci), N = Cout of one group, K = output pixels. A workgroup owns 4*B4 rows x 4*B4
// channels of one split of the output lines and takes BK pixels a step: its threads bring these rows of x and channels
// of dy into workgroup memory, and each sums TM rows x 4 channels from there. Both tiles lie by pixels, as they come
// from memory. The rows of a thread lie in groups of four that are 4*PM apart.
//
// With VEC_IN four rows share a tap and one load. The pixels of a split are one run, of which a thread brings one a
// step and follows where it lies in its line.
// Each lane sums much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
const TM: u32 = 8u;
const PM: u32 = 8u;
const PN: u32 = 16u;
const BK: u32 = 8u;
const VEC_IN: bool = true;
const VEC_OUT: bool = true;
const ACCUMULATE: bool = false;
// The most line ends within BK pixels.
const CARRIES: u32 = 8u;
// Steps whose products are added before the sums go to dw: the error of a sum grows with its consecutive terms.
const RUN: u32 = 32u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias X4 = vec4f;
alias Dy = f32;
alias Dy4 = vec4f;

struct Params {
  tiles: u32, mTiles: u32, nTiles: u32, splits: u32,
  lineBegin: u32, lineEnd: u32, linesPerSplit: u32,
  inH: u32, inW: u32, inC: u32, cin: u32,
  outH: u32, outW: u32, outC: u32, cout: u32,
  kernelW: u32, strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  rowBegin: u32, rowEnd: u32, dwC: u32, dwSlice: u32,
  xOrigin: u32, dyOrigin: u32, dwOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read> dy: array<Dy>;
@group(0) @binding(4) var<storage, read> dy4: array<Dy4>;
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;

const WG: u32 = PM * PN;
// vec4 of rows and of channels: the tile is square, so a thread brings the same part of both.
const B4: u32 = PN;
const TQ: u32 = TM / 4u;
// Elements of a word of x and of dy, as they are loaded.
const UNIT_X: u32 = select(1u, 4u, VEC_IN);
const UNIT_DY: u32 = select(1u, 4u, VEC_OUT);
const LOADS: u32 = select(4u, 1u, VEC_IN);
const_assert PN == PM * TQ && BK * B4 == WG;
var<workgroup> xTile: array<vec4f, BK * B4>;
var<workgroup> dyTile: array<vec4f, BK * B4>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= p.tiles) { return; }
  let n0 = id % p.nTiles * B4 * 4u;
  let m0 = p.rowBegin + id / p.nTiles % p.mTiles * B4 * 4u;
  let z = id / (p.nTiles * p.mTiles);
  let split = z % p.splits;
  let g = z / p.splits;

  // The rows that this thread brings: where the tap of the first reaches, and how far from that the others do. Rows
  // past the last bring another's, whose sums are not stored. Elements of x are counted in words as they are loaded.
  let part = local % B4;
  let pixelX = p.inC / UNIT_X;
  var tapY: array<i32, LOADS>;
  var tapX: array<i32, LOADS>;
  var reach: array<u32, LOADS>;
  for (var s = 0u; s < LOADS; s++) {
    let row = min(m0 + part * 4u + s, p.rowEnd - 1u);
    let tap = row / p.cin;
    tapY[s] = i32(tap / p.kernelW * p.dilationH);
    tapX[s] = i32(tap % p.kernelW * p.dilationW);
    reach[s] = u32(tapY[s] * i32(p.inW) + tapX[s]) * pixelX + (g * p.cin + row % p.cin) / UNIT_X;
    if (s > 0u) {
      tapY[s] -= tapY[0];
      tapX[s] -= tapX[0];
      reach[s] -= reach[0];
    }
  }

  let begin = min(p.lineEnd, p.lineBegin + split * p.linesPerSplit);
  let end = min(p.lineEnd, begin + p.linesPerSplit);
  let pixels = (end - begin) * p.outW;
  let steps = (pixels + BK - 1u) / BK;
  // The pixel that this thread brings next: its number in the split, where the first tap meets x, and the word there.
  var pixel = local / B4;
  let line = begin + pixel / p.outW;
  let startY = tapY[0] - i32(p.padH);
  let startX = tapX[0] - i32(p.padW);
  var iy = i32(line % p.outH * p.strideH) + startY;
  var ix = i32(pixel % p.outW * p.strideW) + startX;
  let home = (i32(line / p.outH * p.inH) + iy - tapY[0]) * i32(p.inW) + ix - tapX[0];
  var xAt = u32(home) * pixelX + reach[0] - p.xOrigin / UNIT_X;
  // Where lines and images end, and what the word gains from there to the next.
  let endX = i32(p.outW * p.strideW) + startX;
  let endY = i32(p.outH * p.strideH) + startY;
  let nextLine = (p.strideH * p.inW - p.outW * p.strideW) * pixelX;
  let nextImage = (p.inH - p.outH * p.strideH) * p.inW * pixelX;
  let pixelDy = p.outC / UNIT_DY;
  let channels = min(n0 + part * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(p.cout - 1u));
  let dyFirst = (channels + begin * p.outW * p.outC + g * p.cout - p.dyOrigin) / UNIT_DY;
  let dyLast = dyFirst + (max(1u, pixels) - 1u) * pixelDy;
  var dyAt = dyFirst + pixel * pixelDy;

  let tx = local % PN;
  let ty = local / PN;
  let base = split * p.dwSlice + g * p.cout + (n0 + tx * 4u) - p.dwOrigin;
  for (var first = 0u; first < max(1u, steps); first += RUN) {
    var acc = array<vec4f, TM>();
    for (var step = first; step < min(steps, first + RUN); step++) {
      let isPixel = pixel < pixels;
      var a: vec4f;
      if (VEC_IN) {
        let inside = isPixel && u32(iy) < p.inH && u32(ix) < p.inW;
        a = select(vec4f(), vec4f(x4[select(0u, xAt, inside)]), inside);
      } else {
        for (var s = 0u; s < LOADS; s++) {
          let shift = select(vec3i(tapY[s], tapX[s], i32(reach[s])), vec3i(), s == 0u);
          let inside = isPixel && u32(iy + shift.x) < p.inH && u32(ix + shift.y) < p.inW;
          a[s] = select(0.0, f32(x[select(0u, xAt + u32(shift.z), inside)]), inside);
        }
      }
      var b: vec4f;
      // Past the last pixel a is zero, and b the last.
      let at = min(dyAt, dyLast);
      if (VEC_OUT) {
        b = vec4f(dy4[at.x]);
      } else {
        b = vec4f(f32(dy[at.x]), f32(dy[at.y]), f32(dy[at.z]), f32(dy[at.w]));
      }
      pixel += BK;
      dyAt += BK * pixelDy;
      ix += i32(BK * p.strideW);
      xAt += BK * p.strideW * pixelX;
      for (var t = 0u; t < CARRIES; t++) {
        if (ix >= endX) {
          ix -= endX - startX;
          iy += i32(p.strideH);
          xAt += nextLine;
          if (iy >= endY) {
            iy = startY;
            xAt += nextImage;
          }
        }
      }
      workgroupBarrier();
      xTile[local] = a;
      dyTile[local] = b;
      workgroupBarrier();
      for (var k = 0u; k < BK; k++) {
        var l: array<vec4f, TQ>;
        for (var u = 0u; u < TQ; u++) { l[u] = xTile[k * B4 + ty + u * PM]; }
        let r = dyTile[k * B4 + tx];
        for (var i = 0u; i < TM; i++) { acc[i] = fma(vec4f(l[i / 4u][i % 4u]), r, acc[i]); }
      }
    }
    // A split without lines stores zeros.
    for (var i = 0u; i < TM; i++) {
      let row = m0 + (ty + i / 4u * PM) * 4u + i % 4u;
      if (row >= p.rowEnd) { continue; }
      let at = base + row * p.dwC;
      for (var j = 0u; j < 4u; j++) {
        if (n0 + tx * 4u + j < p.cout) {
          if (ACCUMULATE || first > 0u) { dw[at + j] += acc[i][j]; } else { dw[at + j] = acc[i][j]; }
        }
      }
    }
  }
}
