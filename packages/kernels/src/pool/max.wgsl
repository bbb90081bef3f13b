// Max pooling.
//
//   y[n, oy, ox, c] = max over taps (ky, kx) of  x[n, oy*strideH - padH + ky*dilationH, ox*strideW - padW + kx*dilationW, c]
//
// Taps outside the image are not seen. index holds the tap ky*kernelW + kx that won: the first of equals, the last NaN
// (as in PyTorch, a NaN in the window is the result); -1 where a dilated window misses the image, and y is p.lowest.
// Without SAVE the index is not written. x [N, H, W, C], y and index [N, OH, OW, C], channels last, each of them maybe a window that
// begins at its origin. A thread owns one output element from p.begin on, or four channels (VEC: the views x4, y4, index4 are used, and all
// counts of elements are in vec4; the plan binds the unused views to dummies).
const WG: u32 = 64u;
const VEC: bool = false;
const SAVE: bool = true;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32, strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  lowest: f32, // minus infinity, which WGSL cannot spell
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> index: array<i32>;
@group(0) @binding(6) var<storage, read_write> index4: array<vec4i>;

// The taps [begin, end) that read inside an axis of the given size.
fn taps(start: i32, size: u32, kernel: u32, dilation: u32) -> vec2u {
  let d = i32(dilation);
  let begin = (max(0, -start) + d - 1) / d;
  let end = (max(0, i32(size) - start) + d - 1) / d;
  return vec2u(u32(begin), min(kernel, u32(end)));
}

// Comparisons with NaN may be optimised away; its bits may not.
fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }
fn isNan4(v: vec4f) -> vec4<bool> { return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let startX = i32(pixel % p.outW * p.strideW) - i32(p.padW);
  let startY = i32(pixel / p.outW % p.outH * p.strideH) - i32(p.padH);
  let image = pixel / (p.outW * p.outH) * p.inH;
  let ty = taps(startY, p.inH, p.kernelH, p.dilationH);
  let tx = taps(startX, p.inW, p.kernelW, p.dilationW);
  let first = select(-1, i32(ty.x * p.kernelW + tx.x), ty.x < ty.y && tx.x < tx.y);
  var best = p.lowest;
  var best4 = vec4f(p.lowest);
  var winner = first;
  var winner4 = vec4i(first);
  for (var ky = ty.x; ky < ty.y; ky++) {
    let row = (image + u32(startY + i32(ky * p.dilationH))) * p.inW;
    for (var kx = tx.x; kx < tx.y; kx++) {
      let at = (row + u32(startX + i32(kx * p.dilationW))) * p.channels + c - p.fromOrigin;
      let tap = i32(ky * p.kernelW + kx);
      if (VEC) {
        let v = x4[at];
        let better = (v > best4) | isNan4(v);
        best4 = select(best4, v, better);
        winner4 = select(winner4, vec4i(tap), better);
      } else {
        let v = x[at];
        let better = v > best || isNan(v);
        best = select(best, v, better);
        winner = select(winner, tap, better);
      }
    }
  }
  let to = id - p.toOrigin;
  if (VEC) {
    y4[to] = best4;
    if (SAVE) { index4[to] = winner4; }
  } else {
    y[to] = best;
    if (SAVE) { index[to] = winner; }
  }
}
