// Convolution with one channel a group (groups = C, one filter a channel), forward and transposed.
//
//   y[n, oy, ox, c] = bias[c] + sum over taps of  x[n, iy, ix, c] * w[tap, c]
//
//   forward      iy = oy*stride - pad + ky*dilation
//   TRANSPOSED   oy = iy*stride - pad + ky*dilation, solved for iy: only taps of the right phase are visited, so a 64x64
//                kernel at stride 32 (the bilinear upsampling of FCN) costs four products an output.
// x [N, H, W, C], w [taps, C], y [N, OH, OW, C], all channels last. A thread owns one output element.
const WG: u32 = 64u;
const HAS_BIAS: bool = false;
const TRANSPOSED: bool = false;

struct Params {
  count: u32, begin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32,
  strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
  gcdH: u32, gcdW: u32, inverseH: u32, inverseW: u32,
  xOrigin: u32, yOrigin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// Tap = first + t*step reads input start + t*pace; t runs over [begin, end), which keeps the input inside the image.
struct Walk { start: i32, pace: i32, first: u32, step: u32, begin: u32, end: u32 }

fn clip(start: i32, pace: i32, first: u32, step: u32, taps: u32, size: u32) -> Walk {
  let limit = i32(size) - 1;
  let stride = abs(pace);
  var low: i32;
  var high: i32;
  if (pace > 0) {
    low = (max(0, -start) + stride - 1) / stride;
    high = select((limit - start) / stride, -1, start > limit);
  } else {
    low = (max(0, start - limit) + stride - 1) / stride;
    high = select(start / stride, -1, start < 0);
  }
  return Walk(start, pace, first, step, u32(low), u32(min(high + 1, i32(taps))));
}

fn walk(out: u32, size: u32, kernel: u32, stride: u32, pad: u32, dilation: u32, gcd: u32, inverse: u32) -> Walk {
  if (!TRANSPOSED) {
    return clip(i32(out * stride) - i32(pad), i32(dilation), 0u, 1u, kernel, size);
  }
  let position = out + pad;
  let step = stride / gcd;
  let first = ((position / gcd) % step * inverse) % step;
  let reached = position % gcd == 0u && first < kernel;
  let taps = select(0u, (kernel - min(first, kernel) + step - 1u) / step, reached);
  let reach = i32(position) - i32(first * dilation);
  // Exact where taps > 0: the first tap was chosen so that the stride divides the reach.
  return clip(select(-1, reach / i32(stride), taps > 0u), -i32(dilation / gcd), first, step, taps, size);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let at = p.begin + id;
  let c = at % p.channels;
  let pixel = at / p.channels;
  let ox = pixel % p.outW;
  let oy = pixel / p.outW % p.outH;
  let n = pixel / (p.outW * p.outH);
  let wy = walk(oy, p.inH, p.kernelH, p.strideH, p.padH, p.dilationH, p.gcdH, p.inverseH);
  let wx = walk(ox, p.inW, p.kernelW, p.strideW, p.padW, p.dilationW, p.gcdW, p.inverseW);
  var sum = 0.0;
  if (HAS_BIAS) { sum = bias[c]; }
  for (var ty = wy.begin; ty < wy.end; ty++) {
    let line = (n * p.inH + u32(wy.start + i32(ty) * wy.pace)) * p.inW;
    let row = (wy.first + ty * wy.step) * p.kernelW;
    for (var tx = wx.begin; tx < wx.end; tx++) {
      let source = (line + u32(wx.start + i32(tx) * wx.pace)) * p.channels + c - p.xOrigin;
      sum = fma(x[source], w[(row + wx.first + tx * wx.step) * p.channels + c], sum);
    }
  }
  y[at - p.yOrigin] = sum;
}
