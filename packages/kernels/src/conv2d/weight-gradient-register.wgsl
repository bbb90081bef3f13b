// Gradient of the convolution weight, for any adapter: the equation, buffers and parameters of
// weight-gradient-subgroup.wgsl.
//
//   dw[tap, ci, g, co] = sum over output pixels (n, oy, ox) of  x[n, iy, ix, g*Cin + ci] * dy[n, oy, ox, g*Cout + co]
//   with iy = oy*stride - pad + ky*dilation
//
// A thread owns TM rows (tap, ci) x 4 columns co in registers and walks over the output rows of its split. With VEC_IN
// four rows share a tap and one load.
const WG: u32 = 64u;
const TM: u32 = 8u;
const VEC_IN: bool = true;
const VEC_OUT: bool = true;
const ACCUMULATE: bool = false;
// Pixels whose products are added before the sums go to dw: the error of a sum grows with its consecutive terms.
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

const WIDTH: u32 = select(1u, 4u, VEC_IN);
const LOADS: u32 = TM / WIDTH;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.tiles) { return; }
  let column = id % p.nTiles * 4u;
  let row0 = p.rowBegin + (id / p.nTiles) % p.mTiles * TM;
  let z = id / (p.nTiles * p.mTiles);
  let split = z % p.splits;
  let g = z / p.splits;

  var moveY: array<i32, LOADS>;
  var moveX: array<i32, LOADS>;
  var channel: array<u32, LOADS>;
  for (var s = 0u; s < LOADS; s++) {
    let row = row0 + s * WIDTH;
    let tap = row / p.cin;
    moveY[s] = i32(tap / p.kernelW * p.dilationH) - i32(p.padH);
    moveX[s] = i32(tap % p.kernelW * p.dilationW) - i32(p.padW);
    channel[s] = g * p.cin + row % p.cin;
  }

  var acc: array<vec4f, TM>;
  let base = split * p.dwSlice + g * p.cout - p.dwOrigin;
  let begin = p.lineBegin + split * p.linesPerSplit;
  let end = min(p.lineEnd, begin + p.linesPerSplit);
  let lines = max(1u, RUN / p.outW);
  // Elements of x between neighbouring output pixels.
  let pace = p.strideW * p.inC;
  for (var first = begin; first < end || first == begin; first += lines) {
    for (var left = 0u; left < p.outW; left += RUN) {
      let right = min(p.outW, left + RUN);
      for (var line = first; line < min(end, first + lines); line++) {
        let n = line / p.outH;
        let oy = i32(line % p.outH * p.strideH);
        // The elements of x that belong to the output pixel 0 of this line, where their rows are inside the image.
        var start: array<u32, LOADS>;
        var inside: array<bool, LOADS>;
        for (var s = 0u; s < LOADS; s++) {
          let iy = oy + moveY[s];
          inside[s] = row0 + s * WIDTH < p.rowEnd && iy >= 0 && iy < i32(p.inH);
          start[s] = ((n * p.inH + u32(iy)) * p.inW + u32(moveX[s])) * p.inC + channel[s] - p.xOrigin;
        }
        let dyLine = line * p.outW * p.outC + g * p.cout - p.dyOrigin;
        for (var ox = left; ox < right; ox++) {
          let at = dyLine + ox * p.outC;
          var b: vec4f;
          if (VEC_OUT) {
            b = vec4f(dy4[(at + column) / 4u]);
          } else {
            let top = p.cout - 1u;
            b = vec4f(f32(dy[at + column]), f32(dy[at + min(column + 1u, top)]),
                      f32(dy[at + min(column + 2u, top)]), f32(dy[at + min(column + 3u, top)]));
          }
          for (var s = 0u; s < LOADS; s++) {
            let ix = i32(ox * p.strideW) + moveX[s];
            let valid = inside[s] && ix >= 0 && ix < i32(p.inW);
            let source = select(0u, start[s] + ox * pace, valid);
            if (VEC_IN) {
              let a = select(vec4f(), vec4f(x4[source / 4u]), valid);
              for (var j = 0u; j < 4u; j++) { acc[s * 4u + j] = fma(vec4f(a[j]), b, acc[s * 4u + j]); }
            } else {
              acc[s] = fma(vec4f(select(0.0, f32(x[source]), valid)), b, acc[s]);
            }
          }
        }
      }
      // A split without lines stores zeros.
      for (var i = 0u; i < TM; i++) {
        let row = row0 + i;
        if (row < p.rowEnd) {
          let at = base + row * p.dwC + column;
          for (var j = 0u; j < 4u; j++) {
            if (column + j < p.cout) {
              var sum = acc[i][j];
              if (ACCUMULATE || first > begin || left > 0u) { sum += dw[at + j]; }
              dw[at + j] = sum;
            }
          }
        }
        acc[i] = vec4f();
      }
    }
  }
}
