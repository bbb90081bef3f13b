// Gradient of the resampling in forward.wgsl, as a gather.
//
//   dx[n, iy, ix, c] = sum over (oy, ox) that read (iy, ix)  of  share(oy, iy) * share(ox, ix) * dy[n, oy, ox, c]
//
// share(o, i) is the weight with which output o reads input i. The outputs to visit come from the inverse map, with a
// margin of one position on either side; the first and last inputs also take every output that is clamped to them.
// dx [N, H, W, C], dy [N, OH, OW, C], channels last; both may be parts that begin at their origins. A thread owns one
// input element, numbered from p.begin on.
const WG: u32 = 64u;
const BILINEAR: bool = true;
const ALIGN_CORNERS: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Dy = f32;
alias Dx = f32;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  scaleH: f32, scaleW: f32, // input positions for each output step
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read_write> dx: array<Dx>;

// What an output position reads: (1 - weight) * x[low] + weight * x[high]. forward.wgsl and backward.wgsl must agree.
struct Source { low: u32, high: u32, weight: f32 }

fn source(o: u32, scale: f32, size: u32) -> Source {
  let last = size - 1u;
  if (!BILINEAR) {
    let nearest = min(u32(f32(o) * scale), last);
    return Source(nearest, nearest, 0.0);
  }
  var at = f32(o) * scale;
  if (!ALIGN_CORNERS) { at = max(0.0, (f32(o) + 0.5) * scale - 0.5); }
  let low = min(u32(at), last);
  return Source(low, min(low + 1u, last), clamp(at - f32(low), 0.0, 1.0));
}

fn share(o: u32, i: u32, scale: f32, size: u32) -> f32 {
  let s = source(o, scale, size);
  return select(0.0, 1.0 - s.weight, s.low == i) + select(0.0, s.weight, s.high == i);
}

// The outputs [begin, end) that may read input i.
fn readers(i: u32, scale: f32, size: u32, out: u32) -> vec2u {
  if (scale <= 0.0) { return vec2u(0u, out); }
  let half = select(0.0, 0.5, BILINEAR && !ALIGN_CORNERS);
  let reach = select(0.0, 1.0, BILINEAR);
  let low = floor((f32(i) - reach + half) / scale - half) - 1.0;
  let high = ceil((f32(i) + 1.0 + half) / scale - half) + 2.0;
  let begin = u32(clamp(low, 0.0, f32(out)));
  let end = u32(clamp(high, 0.0, f32(out)));
  return vec2u(select(begin, 0u, i == 0u), select(end, out, i + 1u == size));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let ix = pixel % p.inW;
  let iy = pixel / p.inW % p.inH;
  let image = pixel / (p.inW * p.inH) * p.outH;
  let rx = readers(ix, p.scaleW, p.inW, p.outW);
  let ry = readers(iy, p.scaleH, p.inH, p.outH);
  var sum = 0.0;
  for (var oy = ry.x; oy < ry.y; oy++) {
    let shareY = share(oy, iy, p.scaleH, p.inH);
    if (shareY == 0.0) { continue; }
    let row = (image + oy) * p.outW;
    var line = 0.0;
    for (var ox = rx.x; ox < rx.y; ox++) {
      let shareX = share(ox, ix, p.scaleW, p.inW);
      if (shareX != 0.0) { line += shareX * f32(dy[(row + ox) * p.channels + c - p.fromOrigin]); }
    }
    sum += shareY * line;
  }
  dx[id - p.toOrigin] = Dx(sum);
}
