// The convolution of conv.wgsl (the same equation, buffers and phases), with one subgroup a workgroup.
//
// Lane l owns TN vec4 columns of output channels for all TM pixels of the workgroup, and loads the input of pixel l
// (and l + SG, ...); the lanes share these loads by shuffles, without workgroup memory or barriers.
// VEC_IN loads four input channels at once (NHWC, CI a multiple of 4).
enable subgroups;

const NHWC: bool = false;
const VEC_IN: bool = false;
const VEC_OUT: bool = false;
const TRANSPOSED: bool = false;
const K: u32 = 3u;
const PAD: u32 = 1u;
const STRIDE: u32 = 1u;
const SG: u32 = 8u;
const TM: u32 = 16u;
const TN: u32 = 1u;

struct Params { H: u32, W: u32, CI: u32, CO: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read_write> y4: array<vec4f>;

const TAPS: u32 = K / STRIDE;
const LOADS: u32 = TM / SG;

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

@compute @workgroup_size(SG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let pixels = p.H * p.W;
  let co4 = (p.CO + 3u) / 4u;
  let n0 = group.y * TN * SG + lane;
  let m0 = group.x * TM;
  let ry = group.z / STRIDE;
  let rx = group.z % STRIDE;
  let firstY = select(0u, (ry + PAD) % STRIDE, TRANSPOSED);
  let firstX = select(0u, (rx + PAD) % STRIDE, TRANSPOSED);
  let offsetY = select(-i32(PAD), i32((ry + PAD) / STRIDE), TRANSPOSED);
  let offsetX = select(-i32(PAD), i32((rx + PAD) / STRIDE), TRANSPOSED);
  let walk = select(1, -1, TRANSPOSED);
  let cStep = select(pixels, 1u, NHWC);

  var acc: array<vec4f, TM * TN>;
  for (var ty = 0u; ty < TAPS; ty++) {
    for (var tx = 0u; tx < TAPS; tx++) {
      var base: array<u32, LOADS>;
      var valid: array<bool, LOADS>;
      for (var s = 0u; s < LOADS; s++) {
        let m = m0 + s * SG + lane;
        let iy = i32(m / p.W) + offsetY + i32(ty) * walk;
        let ix = i32(m % p.W) + offsetX + i32(tx) * walk;
        valid[s] = m < pixels && iy >= 0 && iy < i32(p.H) && ix >= 0 && ix < i32(p.W);
        base[s] = select(0u, u32(iy * i32(p.W) + ix) * select(1u, p.CI, NHWC), valid[s]);
      }
      let wRow = ((firstY + ty * STRIDE) * K + firstX + tx * STRIDE) * p.CI;
      if (VEC_IN) {
        for (var c = 0u; c < p.CI; c += 4u) {
          var a: array<vec4f, LOADS>;
          for (var s = 0u; s < LOADS; s++) { a[s] = select(vec4f(), x4[(base[s] + c) / 4u], valid[s]); }
          for (var j = 0u; j < 4u; j++) {
            var b: array<vec4f, TN>;
            for (var n = 0u; n < TN; n++) { b[n] = w[(wRow + c + j) * co4 + min(n0 + n * SG, co4 - 1u)]; }
            for (var i = 0u; i < TM; i++) {
              let value = vec4f(subgroupShuffle(a[i / SG][j], i % SG));
              for (var n = 0u; n < TN; n++) { acc[i * TN + n] = fma(value, b[n], acc[i * TN + n]); }
            }
          }
        }
      } else {
        for (var c = 0u; c < p.CI; c++) {
          var a: array<f32, LOADS>;
          for (var s = 0u; s < LOADS; s++) { a[s] = select(0.0, x[base[s] + c * cStep], valid[s]); }
          var b: array<vec4f, TN>;
          for (var n = 0u; n < TN; n++) { b[n] = w[(wRow + c) * co4 + min(n0 + n * SG, co4 - 1u)]; }
          for (var i = 0u; i < TM; i++) {
            let value = vec4f(subgroupShuffle(a[i / SG], i % SG));
            for (var n = 0u; n < TN; n++) { acc[i * TN + n] = fma(value, b[n], acc[i * TN + n]); }
          }
        }
      }
    }
  }

  for (var i = 0u; i < TM; i++) {
    let m = m0 + i;
    if (m < pixels) {
      for (var n = 0u; n < TN; n++) {
        let o = (n0 + n * SG) * 4u;
        if (o < p.CO) { store(m / p.W * STRIDE + ry, m % p.W * STRIDE + rx, o, acc[i * TN + n]); }
      }
    }
  }
}
