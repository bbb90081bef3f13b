// Gradient of max pooling, as a gather.
//
//   dx[n, iy, ix, c] = sum over windows (oy, ox) that hold (iy, ix) as their tap t  of  dy[n, oy, ox, c] where index = t
//
// dx [N, H, W, C], dy and index [N, OH, OW, C], channels last, each of them maybe a window that begins at its
// origin. A thread owns one input element from p.begin on, or four channels (VEC: the views with a 4 are used, and all counts of elements
// are in vec4). Pooling windows are added in one fixed order.
const WG: u32 = 64u;
const VEC: bool = false;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  kernelH: u32, kernelW: u32, strideH: u32, strideW: u32, padH: u32, padW: u32, dilationH: u32, dilationW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(3) var<storage, read> index: array<i32>;
@group(0) @binding(4) var<storage, read> index4: array<vec4i>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx4: array<vec4f>;

// The windows [begin, end) that reach over a padded position.
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
  let px = pixel % p.inW + p.padW;
  let py = pixel / p.inW % p.inH + p.padH;
  let image = pixel / (p.inW * p.inH) * p.outH;
  let wy = windows(py, (p.kernelH - 1u) * p.dilationH, p.strideH, p.outH);
  let wx = windows(px, (p.kernelW - 1u) * p.dilationW, p.strideW, p.outW);
  var sum = 0.0;
  var sum4 = vec4f();
  for (var oy = wy.x; oy < wy.y; oy++) {
    let offsetY = py - oy * p.strideH;
    if (offsetY % p.dilationH != 0u) { continue; }
    let row = (image + oy) * p.outW;
    for (var ox = wx.x; ox < wx.y; ox++) {
      let offsetX = px - ox * p.strideW;
      if (offsetX % p.dilationW != 0u) { continue; }
      let tap = i32(offsetY / p.dilationH * p.kernelW + offsetX / p.dilationW);
      let at = (row + ox) * p.channels + c - p.fromOrigin;
      if (VEC) {
        sum4 += select(vec4f(), dy4[at], index4[at] == vec4i(tap));
      } else {
        sum += select(0.0, dy[at], index[at] == tap);
      }
    }
  }
  let to = id - p.toOrigin;
  if (VEC) { dx4[to] = sum4; } else { dx[to] = sum; }
}
