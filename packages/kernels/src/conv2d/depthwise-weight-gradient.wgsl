// Gradient of the weight of a depthwise convolution: one filter a channel, groups = C.
//
//   dw[tap, c] = sum over output pixels (n, oy, ox) of  x[n, iy, ix, c] * dy[n, oy, ox, c]
//   with iy = oy*stride - pad + ky*dilation
//
// x [N, H, W, C], dy [N, OH, OW, C], channels last; both may be parts that begin at their origins. dw [splits, taps,
// C]. A thread owns one (tap, c) of one split of the output lines (n, oy), or four channels (VEC: the views with a 4
// are used, and all counts of elements are in vec4), and writes dw from p.base on. A later dispatch adds the splits in
// a fixed order; with ACCUMULATE the sum is added to dw instead. Only output pixels whose input lies inside the image
// are visited.
const WG: u32 = 64u;
const VEC: bool = false;
const ACCUMULATE: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias X4 = vec4f;
alias Dy = f32;
alias Dy4 = vec4f;

struct Params {
  count: u32, base: u32, channels: u32, taps: u32, lineBegin: u32, lineEnd: u32, linesPerSplit: u32,
  inH: u32, inW: u32, outH: u32, outW: u32, kernelW: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  xOrigin: u32, dyOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> x4: array<X4>;
@group(0) @binding(3) var<storage, read> dy: array<Dy>;
@group(0) @binding(4) var<storage, read> dy4: array<Dy4>;
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;
@group(0) @binding(6) var<storage, read_write> dw4: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let tap = id / p.channels % p.taps;
  let split = id / (p.channels * p.taps);
  let moveY = i32(tap / p.kernelW * p.dilationH) - i32(p.padH);
  let moveX = i32(tap % p.kernelW * p.dilationW) - i32(p.padW);
  let strideX = i32(p.strideW);
  let begin = p.lineBegin + split * p.linesPerSplit;
  let end = min(p.lineEnd, begin + p.linesPerSplit);
  // Output columns whose input column is inside: 0 <= ox*stride + moveX < inW.
  let low = (max(0, -moveX) + strideX - 1) / strideX;
  let reach = i32(p.inW) - 1 - moveX;
  let high = select(min(reach / strideX + 1, i32(p.outW)), 0, reach < 0);
  let step = p.strideW * p.channels;
  var sum = 0.0;
  var sum4 = vec4f();
  for (var line = begin; line < end; line++) {
    let n = line / p.outH;
    let iy = i32(line % p.outH * p.strideH) + moveY;
    if (iy < 0 || iy >= i32(p.inH) || low >= high) { continue; }
    var source = ((n * p.inH + u32(iy)) * p.inW + u32(low * strideX + moveX)) * p.channels + c - p.xOrigin;
    var at = (line * p.outW + u32(low)) * p.channels + c - p.dyOrigin;
    var partial = 0.0;
    var partial4 = vec4f();
    for (var ox = low; ox < high; ox++) {
      if (VEC) {
        partial4 = fma(vec4f(x4[source]), vec4f(dy4[at]), partial4);
      } else {
        partial = fma(f32(x[source]), f32(dy[at]), partial);
      }
      source += step;
      at += p.channels;
    }
    sum += partial;
    sum4 += partial4;
  }
  let to = p.base + id;
  if (ACCUMULATE) {
    if (VEC) { sum4 += dw4[to]; } else { sum += dw[to]; }
  }
  if (VEC) { dw4[to] = sum4; } else { dw[to] = sum; }
}
