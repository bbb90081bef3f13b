// Gradient of the convolution weight, for adapters with subgroups.
//
//   dw[tap, ci, g, co] = sum over output pixels (n, oy, ox) of  x[n, iy, ix, g*Cin + ci] * dy[n, oy, ox, g*Cout + co]
//   with iy = oy*stride - pad + ky*dilation
//
// As a matrix product: M = rows (tap, ci), N = Cout of one group, K = output pixels, cut into `splits` of whole output
// rows. Each split writes its own slice of dw, and a later dispatch adds the slices in a fixed order, without atomics.
//
// x [N, H, W, inC] and dy [N, OH, OW, outC] channels last; dw [splits, rows, dwC]. x/x4 and dy/dy4 are the same buffer
// seen as scalars and as vec4. Pixels outside the image count as zero.
//
// A workgroup is one subgroup of SG / SGN teams; few columns take small teams, so that no lane is idle. A team owns TM
// rows x SGN*4 columns. With VEC_IN one vec4 load of each lane brings PIXELS pixels of all TM rows, which the team
// shares by shuffles; each lane loads one vec4 of dy a pixel.
enable subgroups;

const SG: u32 = 8u;
const SGN: u32 = 8u;
const TM: u32 = 16u;
const VEC_IN: bool = true;
const VEC_OUT: bool = true;
const ACCUMULATE: bool = false;
// Pixels whose products are added before their sum is: the error of a sum grows with its consecutive terms.
const RUN: u32 = 128u;

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

// Lanes that it takes to load TM rows of one pixel, pixels that a team loads at once, and loads a lane.
const LANES: u32 = min(SGN, select(TM, TM / 4u, VEC_IN));
const PIXELS: u32 = SGN / LANES;
const LOADS: u32 = select(TM, TM / 4u, VEC_IN) / LANES;

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(subgroup_invocation_id) lane: u32) {
  let id = group.x + group.y * groups.x;
  if (id >= p.tiles) { return; }
  let member = lane % SGN;
  // The first lane of the team. With one team it is a constant, which turns the shuffles into broadcasts.
  let team = select(lane - member, 0u, SGN == SG);
  let column = ((id % p.nTiles) * SGN + member) * 4u;
  let row0 = p.rowBegin + ((id / p.nTiles) % p.mTiles * (SG / SGN) + team / SGN) * TM;
  let z = id / (p.nTiles * p.mTiles);
  let split = z % p.splits;
  let g = z / p.splits;

  // The rows that this lane loads, as offsets from an output pixel to an input element.
  var moveY: array<i32, LOADS>;
  var moveX: array<i32, LOADS>;
  var channel: array<u32, LOADS>;
  var inside: array<bool, LOADS>;
  for (var s = 0u; s < LOADS; s++) {
    let row = row0 + (s * LANES + member % LANES) * select(1u, 4u, VEC_IN);
    let tap = row / p.cin;
    moveY[s] = i32(tap / p.kernelW * p.dilationH) - i32(p.padH);
    moveX[s] = i32(tap % p.kernelW * p.dilationW) - i32(p.padW);
    channel[s] = g * p.cin + row % p.cin;
    inside[s] = row < p.rowEnd;
  }
  let pixel = member / LANES;
  let columnClamped = g * p.cout + select(0u, column, column < p.cout);
  let last = g * p.cout + p.cout - 1u;

  // Sums of a run of terms, and of all runs.
  var acc: array<vec4f, TM>;
  var total: array<vec4f, TM>;
  let base = split * p.dwSlice + g * p.cout - p.dwOrigin;
  let begin = p.lineBegin + split * p.linesPerSplit;
  let end = min(p.lineEnd, begin + p.linesPerSplit);
  let lines = max(1u, RUN / p.outW);
  // Elements of x between neighbouring output pixels.
  let pace = p.strideW * p.inC;
  for (var first = begin; first < end; first += lines) {
    for (var left = 0u; left < p.outW; left += RUN) {
      let right = min(p.outW, left + RUN);
      for (var line = first; line < min(end, first + lines); line++) {
        let n = line / p.outH;
        let oy = i32(line % p.outH * p.strideH);
        // The elements of x that this lane loads for output pixel 0 of this line, where rows are inside the image.
        var start: array<u32, LOADS>;
        var within: array<bool, LOADS>;
        for (var s = 0u; s < LOADS; s++) {
          let iy = oy + moveY[s];
          within[s] = inside[s] && iy >= 0 && iy < i32(p.inH);
          start[s] = ((n * p.inH + u32(iy)) * p.inW + u32(moveX[s])) * p.inC + channel[s] - p.xOrigin;
        }
        for (var ox = left; ox < right; ox += PIXELS) {
          var a: array<vec4f, LOADS>;
          for (var s = 0u; s < LOADS; s++) {
            let ix = i32((ox + pixel) * p.strideW) + moveX[s];
            let valid = within[s] && ox + pixel < p.outW && ix >= 0 && ix < i32(p.inW);
            let at = select(0u, start[s] + (ox + pixel) * pace, valid);
            if (VEC_IN) {
              a[s] = select(vec4f(), vec4f(x4[at / 4u]), valid);
            } else {
              a[s].x = select(0.0, f32(x[at]), valid);
            }
          }
          for (var j = 0u; j < PIXELS; j++) {
            let at = (line * p.outW + min(ox + j, p.outW - 1u)) * p.outC + columnClamped - p.dyOrigin;
            var b: vec4f;
            if (VEC_OUT) {
              b = vec4f(dy4[at / 4u]);
            } else {
              let top = (line * p.outW + min(ox + j, p.outW - 1u)) * p.outC + last - p.dyOrigin;
              b = vec4f(f32(dy[at]), f32(dy[min(at + 1u, top)]), f32(dy[min(at + 2u, top)]),
                        f32(dy[min(at + 3u, top)]));
            }
            for (var i = 0u; i < TM; i++) {
              var value: f32;
              if (VEC_IN) {
                value = subgroupShuffle(a[i / 4u / LANES][i % 4u], team + j * LANES + (i / 4u) % LANES);
              } else {
                value = subgroupShuffle(a[i / LANES].x, team + j * LANES + i % LANES);
              }
              acc[i] = fma(vec4f(value), b, acc[i]);
            }
          }
        }
      }
      for (var i = 0u; i < TM; i++) {
        total[i] += acc[i];
        acc[i] = vec4f();
      }
    }
  }
  for (var i = 0u; i < TM; i++) {
    let row = row0 + i;
    if (row < p.rowEnd) {
      let at = base + row * p.dwC + column;
      for (var j = 0u; j < 4u; j++) {
        if (column + j < p.cout) {
          var sum = total[i][j];
          if (ACCUMULATE) { sum += dw[at + j]; }
          dw[at + j] = sum;
        }
      }
    }
  }
}
