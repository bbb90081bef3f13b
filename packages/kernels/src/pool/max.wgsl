// Max pooling.
//
//   y[n, oy, ox, c] = max over taps (ky, kx) of  x[n, iy, ix, c],  iy = oy*strideH - padH + ky*dilationH, ix likewise
//
// Taps outside the image are skipped. index holds the tap ky*kernelW + kx that won: the first of equals, the last NaN
// (a NaN in the pooling window is the result, as in PyTorch). It is -1, and y is p.lowest, where a dilated pooling
// window misses the image. Without SAVE the index is not written.
//
// x [N, H, W, C], y and index [N, OH, OW, C], channels last; each may be a part that begins at its origin. A thread
// owns R adjacent outputs of a row in one channel, or in four (VEC: the vec4 bindings are used, and all counts of
// elements are in vec4), so that divisions, which cost more than loads on some adapters, are paid for once.
const WG: u32 = 64u;
const R: u32 = 8u;
const VEC: bool = false;
const SAVE: bool = true;
const KERNEL_H: u32 = 2u;
const KERNEL_W: u32 = 2u;
const STRIDE_H: u32 = 2u;
const STRIDE_W: u32 = 2u;
const DILATION_H: u32 = 1u;
const DILATION_W: u32 = 1u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias X4 = vec4f;
alias Y = f32;
alias Y4 = vec4f;

struct Params {
  count: u32, lineBegin: u32, lineTiles: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32, padH: u32, padW: u32,
  lowest: f32, // minus infinity, which WGSL cannot spell
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;
@group(0) @binding(4) var<storage, read_write> y4: array<Y4>;
@group(0) @binding(5) var<storage, read_write> index: array<i32>;
@group(0) @binding(6) var<storage, read_write> index4: array<vec4i>;

// Comparisons with NaN may be optimised away; its bits may not.
fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn isNan4(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let tile = id / p.channels;
  let line = p.lineBegin + tile / p.lineTiles;
  let firstX = tile % p.lineTiles * R;
  let startY = i32(line % p.outH * STRIDE_H) - i32(p.padH);
  let image = line / p.outH * p.inH;
  for (var i = 0u; i < R; i++) {
    let ox = firstX + i;
    if (ox >= p.outW) { break; }
    let startX = i32(ox * STRIDE_W) - i32(p.padW);
    var best = p.lowest;
    var best4 = vec4f(p.lowest);
    var winner = -1;
    var winner4 = vec4i(-1);
    for (var ky = 0u; ky < KERNEL_H; ky++) {
      let iy = startY + i32(ky * DILATION_H);
      let row = (image + u32(iy)) * p.inW;
      for (var kx = 0u; kx < KERNEL_W; kx++) {
        let ix = startX + i32(kx * DILATION_W);
        let inside = u32(iy) < p.inH && u32(ix) < p.inW;
        let at = select(0u, (row + u32(ix)) * p.channels + c - p.fromOrigin, inside);
        let tap = i32(ky * KERNEL_W + kx);
        if (VEC) {
          let v = vec4f(x4[at]);
          let better = vec4<bool>(inside) & ((v > best4) | isNan4(v) | (vec4<bool>(SAVE) & (winner4 < vec4i())));
          best4 = select(best4, v, better);
          winner4 = select(winner4, vec4i(tap), better);
        } else {
          let v = f32(x[at]);
          let better = inside && (v > best || isNan(v) || (SAVE && winner < 0));
          best = select(best, v, better);
          winner = select(winner, tap, better);
        }
      }
    }
    let to = (line * p.outW + ox) * p.channels + c - p.toOrigin;
    if (VEC) {
      y4[to] = Y4(best4);
      if (SAVE) { index4[to] = winner4; }
    } else {
      y[to] = Y(best);
      if (SAVE) { index[to] = winner; }
    }
  }
}
