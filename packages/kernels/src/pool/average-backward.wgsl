// Gradient of average pooling, as a gather.
//
//   dx[n, iy, ix, c] = sum over pooling windows (oy, ox) that hold (iy, ix)  of  dy[n, oy, ox, c] / divisor(oy, ox)
//
// The divisor is that of average.wgsl. dx [N, H, W, C], dy [N, OH, OW, C], channels last; both may be parts that
// begin at their origins. A thread owns one input element, numbered from p.begin on.
const WG: u32 = 64u;
const COUNT_PAD: bool = true;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Dy = f32;
alias Dx = f32;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32, strideH: u32, strideW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read_write> dx: array<Dx>;

fn counted(o: u32, size: u32, kernel: u32, stride: u32, pad: u32) -> u32 {
  let start = o * stride;
  let stop = min(start + kernel, size + 2u * pad);
  return select(min(max(stop, pad) - pad, size) - (max(start, pad) - pad), stop - start, COUNT_PAD);
}

// The pooling windows [begin, end) that may hold a padded position.
fn windows(position: u32, span: u32, stride: u32, out: u32) -> vec2u {
  let begin = (max(position, span) - span + stride - 1u) / stride;
  return vec2u(begin, min(out, position / stride + 1u));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let wx = windows(pixel % p.inW + p.padW, p.kernelW - 1u, p.strideW, p.outW);
  let wy = windows(pixel / p.inW % p.inH + p.padH, p.kernelH - 1u, p.strideH, p.outH);
  let image = pixel / (p.inW * p.inH) * p.outH;
  var sum = 0.0;
  for (var oy = wy.x; oy < wy.y; oy++) {
    let row = (image + oy) * p.outW;
    let height = counted(oy, p.inH, p.kernelH, p.strideH, p.padH);
    var line = 0.0;
    for (var ox = wx.x; ox < wx.y; ox++) {
      let width = counted(ox, p.inW, p.kernelW, p.strideW, p.padW);
      line += f32(dy[(row + ox) * p.channels + c - p.fromOrigin]) / f32(height * width);
    }
    sum += line;
  }
  dx[id - p.toOrigin] = Dx(sum);
}
