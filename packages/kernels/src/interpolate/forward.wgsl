// Resampling of images, nearest or bilinear.
//
//   nearest                  in = floor(out * scale)
//   BILINEAR                 in = max(0, (out + 1/2) * scale - 1/2), between its two neighbours
//   BILINEAR, ALIGN_CORNERS  in = out * scale
//
// x [N, H, W, C], y [N, OH, OW, C], channels last; both may be parts that begin at their origins. A thread owns one
// output element, numbered from p.begin on.
const WG: u32 = 64u;
const BILINEAR: bool = true;
const ALIGN_CORNERS: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params {
  count: u32, begin: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  scaleH: f32, scaleW: f32, // input positions for each output step
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

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

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let step = (group.x + group.y * groups.x) * WG + local;
  if (step >= p.count) { return; }
  let id = p.begin + step;
  let c = id % p.channels;
  let pixel = id / p.channels;
  let sx = source(pixel % p.outW, p.scaleW, p.inW);
  let sy = source(pixel / p.outW % p.outH, p.scaleH, p.inH);
  let image = pixel / (p.outW * p.outH) * p.inH;
  let base = c - p.fromOrigin;
  let top = (image + sy.low) * p.inW;
  if (!BILINEAR) {
    y[id - p.toOrigin] = Y(x[(top + sx.low) * p.channels + base]);
    return;
  }
  let bottom = (image + sy.high) * p.inW;
  let upper = (1.0 - sx.weight) * f32(x[(top + sx.low) * p.channels + base])
    + sx.weight * f32(x[(top + sx.high) * p.channels + base]);
  let lower = (1.0 - sx.weight) * f32(x[(bottom + sx.low) * p.channels + base])
    + sx.weight * f32(x[(bottom + sx.high) * p.channels + base]);
  y[id - p.toOrigin] = Y((1.0 - sy.weight) * upper + sy.weight * lower);
}
