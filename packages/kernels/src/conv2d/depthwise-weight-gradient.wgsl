// Gradient of the weight of a convolution with one channel a group.
//
//   dw[tap, c] = sum over output pixels (n, oy, ox) of  x[n, iy, ix, c] * dy[n, oy, ox, c],  iy = oy*stride - pad + ky*dilation
//
// A thread owns one (tap, c) of one split of the output rows and writes dw[split, tap, c]; the splits are added by a later
// dispatch in a fixed order. Only output pixels whose input lies inside the image are visited.
const WG: u32 = 64u;

struct Params {
  count: u32, channels: u32, taps: u32, lines: u32, linesPerSplit: u32,
  inH: u32, inW: u32, outH: u32, outW: u32, kernelW: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;

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
  let begin = split * p.linesPerSplit;
  let end = min(p.lines, begin + p.linesPerSplit);
  // Output columns whose input column is inside: 0 <= ox*stride + moveX < inW.
  let low = (max(0, -moveX) + strideX - 1) / strideX;
  let reach = i32(p.inW) - 1 - moveX;
  let high = select(min(reach / strideX + 1, i32(p.outW)), 0, reach < 0);
  var sum = 0.0;
  for (var line = begin; line < end; line++) {
    let n = line / p.outH;
    let iy = i32(line % p.outH * p.strideH) + moveY;
    if (iy < 0 || iy >= i32(p.inH)) { continue; }
    let row = (n * p.inH + u32(iy)) * p.inW;
    var partial = 0.0;
    for (var ox = low; ox < high; ox++) {
      let source = (row + u32(ox * strideX + moveX)) * p.channels + c;
      partial = fma(x[source], dy[(line * p.outW + u32(ox)) * p.channels + c], partial);
    }
    sum += partial;
  }
  dw[id] = sum;
}
