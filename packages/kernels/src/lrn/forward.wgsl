// Local response normalisation across channels (Krizhevsky 2012), scaled by alpha / size as in PyTorch and Caffe.
//
//   d[m, c] = k + slope * sum of x[m, j]^2 over j in [c - size/2, c + (size-1)/2] inside the channels
//   y[m, c] = x[m, c] / d[m, c]^beta
//
// slope = alpha / size. x, y, d [pixels, C], channels last; d is kept for the gradient. All may be parts whose pixels
// begin at element p.first. A thread owns one element.
const WG: u32 = 64u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params { count: u32, first: u32, channels: u32, before: u32, after: u32, slope: f32, beta: f32, k: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;
@group(0) @binding(3) var<storage, read_write> d: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let at = p.first + id;
  let row = at - c;
  let end = min(p.channels, c + p.after + 1u);
  var squares = 0.0;
  for (var j = max(c, p.before) - p.before; j < end; j++) {
    let v = f32(x[row + j]);
    squares = fma(v, v, squares);
  }
  let denominator = p.k + p.slope * squares;
  d[at] = denominator;
  y[at] = Y(f32(x[at]) / pow(denominator, p.beta));
}
