// Adaptive average pooling, or its gradient, over images of any two sizes.
//
//   y[n, oy, ox, c] = mean of x over rows [oy H / OH, (oy + 1) H / OH) and columns [ox W / OW, (ox + 1) W / OW)
//
// where a range begins at the whole number below and ends at the one above. The windows that hold an input row iy are
// those of the same formula with the sizes exchanged, so the gradient walks the same way from dy (bound as x) to dx
// (bound as y), and divides each term by the area of its own window (BACKWARD). x [N, FH, FW, C], y [N, TH, TW, C],
// channels last; both may be parts that begin at their origins. A thread owns one element of y, numbered from p.begin.
const WG: u32 = 64u;
const BACKWARD: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  fromH: u32, fromW: u32, toH: u32, toW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

// Positions [begin, end) on an axis of `size` that belong to position i on one of `other`.
fn binOf(i: u32, size: u32, other: u32) -> vec2u {
  return vec2u(i * size / other, ((i + 1u) * size + other - 1u) / other);
}

fn lengthOf(i: u32, size: u32, other: u32) -> u32 {
  let range = binOf(i, size, other);
  return range.y - range.x;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let wx = binOf(pixel % p.toW, p.fromW, p.toW);
  let wy = binOf(pixel / p.toW % p.toH, p.fromH, p.toH);
  let image = pixel / (p.toW * p.toH) * p.fromH;
  var sum = 0.0;
  for (var iy = wy.x; iy < wy.y; iy++) {
    let row = (image + iy) * p.fromW;
    var line = 0.0;
    for (var ix = wx.x; ix < wx.y; ix++) {
      let value = f32(x[(row + ix) * p.channels + c - p.fromOrigin]);
      if (BACKWARD) {
        line += value / f32(lengthOf(iy, p.toH, p.fromH) * lengthOf(ix, p.toW, p.fromW));
      } else {
        line += value;
      }
    }
    sum += line;
  }
  if (!BACKWARD) { sum /= f32((wy.y - wy.x) * (wx.y - wx.x)); }
  y[id - p.toOrigin] = Y(sum);
}
