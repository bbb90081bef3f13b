// Convolution, and transposed convolution as a gather by stride phase, in either memory layout; needs no subgroups.
//
//   y[p, o] = sum over taps and c of x[pixel(p, tap), c] * w[tap, c, o]
//   forward     K x K taps; input pixel = output pixel - PAD + tap
//   TRANSPOSED  output pixel = input pixel * STRIDE - PAD + tap, solved for the input pixel: phase r of an axis sees
//               the taps (r + PAD) % STRIDE, + STRIDE, ..., and the input walks back by one a tap
//
// x is [CI, H, W] (NCHW) or [H, W, CI] (NHWC); y alike with CO and STRIDE times the size; w is [taps, CI, CO4] of vec4.
// A thread owns TN vec4 of output channels for TP pixels of one phase. Neighbouring threads own neighbouring pixels,
// and a weight is the same for all of them. VEC_IN loads four input channels at once (NHWC, CI a multiple of 4).
const NHWC: bool = false;
const VEC_IN: bool = false;
const VEC_OUT: bool = false;
const TRANSPOSED: bool = false;
const K: u32 = 3u;
const PAD: u32 = 1u;
const STRIDE: u32 = 1u;
const WG: u32 = 64u;
const TP: u32 = 1u;
const TN: u32 = 4u;

struct Params { H: u32, W: u32, CI: u32, CO: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;

const TAPS: u32 = K / STRIDE;

fn store(row: u32, col: u32, o: u32, value: vec4f) {
  let oW = p.W * STRIDE;
  if (NHWC) {
    let at = (row * oW + col) * p.CO + o;
    if (VEC_OUT) {
      y4[at / 4u] = value;
      return;
    }
    for (var j = 0u; j < 4u; j++) { if (o + j < p.CO) { y[at + j] = value[j]; } }
  } else {
    let plane = p.H * STRIDE * oW;
    let at = o * plane + row * oW + col;
    for (var j = 0u; j < 4u; j++) { if (o + j < p.CO) { y[at + j * plane] = value[j]; } }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let pixels = p.H * p.W;
  let co4 = (p.CO + 3u) / 4u;
  let n0 = group.y * TN;
  let ry = group.z / STRIDE;
  let rx = group.z % STRIDE;
  let firstY = select(0u, (ry + PAD) % STRIDE, TRANSPOSED);
  let firstX = select(0u, (rx + PAD) % STRIDE, TRANSPOSED);
  let offsetY = select(-i32(PAD), i32((ry + PAD) / STRIDE), TRANSPOSED);
  let offsetX = select(-i32(PAD), i32((rx + PAD) / STRIDE), TRANSPOSED);
  let walk = select(1, -1, TRANSPOSED);
  let cStep = select(pixels, 1u, NHWC);

  var acc: array<vec4f, TP * TN>;
  for (var ty = 0u; ty < TAPS; ty++) {
    for (var tx = 0u; tx < TAPS; tx++) {
      var base: array<u32, TP>;
      var valid: array<bool, TP>;
      for (var i = 0u; i < TP; i++) {
        let m = (group.x * TP + i) * WG + local;
        let iy = i32(m / p.W) + offsetY + i32(ty) * walk;
        let ix = i32(m % p.W) + offsetX + i32(tx) * walk;
        valid[i] = m < pixels && iy >= 0 && iy < i32(p.H) && ix >= 0 && ix < i32(p.W);
        base[i] = select(0u, u32(iy * i32(p.W) + ix) * select(1u, p.CI, NHWC), valid[i]);
      }
      let wRow = ((firstY + ty * STRIDE) * K + firstX + tx * STRIDE) * p.CI;
      if (VEC_IN) {
        for (var c = 0u; c < p.CI; c += 4u) {
          var a: array<vec4f, TP>;
          for (var i = 0u; i < TP; i++) { a[i] = select(vec4f(), x4[(base[i] + c) / 4u], valid[i]); }
          for (var j = 0u; j < 4u; j++) {
            for (var n = 0u; n < TN; n++) {
              let b = w[(wRow + c + j) * co4 + n0 + n];
              for (var i = 0u; i < TP; i++) { acc[i * TN + n] = fma(vec4f(a[i][j]), b, acc[i * TN + n]); }
            }
          }
        }
      } else {
        for (var c = 0u; c < p.CI; c++) {
          var a: array<f32, TP>;
          for (var i = 0u; i < TP; i++) { a[i] = select(0.0, x[base[i] + c * cStep], valid[i]); }
          for (var n = 0u; n < TN; n++) {
            let b = w[(wRow + c) * co4 + n0 + n];
            for (var i = 0u; i < TP; i++) { acc[i * TN + n] = fma(vec4f(a[i]), b, acc[i * TN + n]); }
          }
        }
      }
    }
  }

  for (var i = 0u; i < TP; i++) {
    let m = (group.x * TP + i) * WG + local;
    if (m < pixels) {
      for (var n = 0u; n < TN; n++) {
        store(m / p.W * STRIDE + ry, m % p.W * STRIDE + rx, (n0 + n) * 4u, acc[i * TN + n]);
      }
    }
  }
}
