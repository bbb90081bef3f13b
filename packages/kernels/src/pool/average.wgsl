// Average pooling.
//
//   y[n, oy, ox, c] = sum of x over the pooling window inside the image / divisor
//
// The divisor counts the pooling window inside the padded image (COUNT_PAD) or inside the image; the part that ceil
// mode lets reach past the padding never counts. x [N, H, W, C], y [N, OH, OW, C], channels last; both may be parts
// that begin at their origins. A thread owns one output element, numbered from p.begin on.
const WG: u32 = 64u;
const COUNT_PAD: bool = true;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

// [begin, end) inside the axis, and how many positions the divisor counts.
fn window(o: u32, size: u32, kernel: u32, stride: u32, pad: u32) -> vec3u {
  let start = o * stride;
  let stop = min(start + kernel, size + 2u * pad);
  let begin = max(start, pad) - pad;
  let end = min(max(stop, pad) - pad, size);
  return vec3u(begin, end, select(end - begin, stop - start, COUNT_PAD));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let wx = window(pixel % p.outW, p.inW, p.kernelW, p.strideW, p.padW);
  let wy = window(pixel / p.outW % p.outH, p.inH, p.kernelH, p.strideH, p.padH);
  let image = pixel / (p.outW * p.outH) * p.inH;
  var sum = 0.0;
  for (var iy = wy.x; iy < wy.y; iy++) {
    let row = (image + iy) * p.inW;
    var line = 0.0;
    for (var ix = wx.x; ix < wx.y; ix++) { line += f32(x[(row + ix) * p.channels + c - p.fromOrigin]); }
    sum += line;
  }
  y[id - p.toOrigin] = Y(sum / f32(wy.z * wx.z));
}
