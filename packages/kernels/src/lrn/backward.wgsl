// Gradient of local response normalisation.
//
//   dx[m, i] = dy[m, i] / d[m, i]^beta - 2 * beta * slope * x[m, i] * sum of r[m, c] over the windows c that hold i
//
// slope = alpha / size; r comes from ratio.wgsl; window c holds i where c is in [i - (size-1)/2, i + size/2]. All
// operands are [pixels, C], channels last. All but r may be parts whose pixels begin at element p.first; r holds just
// these pixels. A thread owns one element.
const WG: u32 = 64u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Dy = f32;
alias Dx = f32;

struct Params { count: u32, first: u32, channels: u32, before: u32, after: u32, slope: f32, beta: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> dy: array<Dy>;
@group(0) @binding(3) var<storage, read> d: array<f32>;
@group(0) @binding(4) var<storage, read> r: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Dx>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let at = p.first + id;
  let row = id - c;
  let end = min(p.channels, c + p.before + 1u);
  var ratios = 0.0;
  for (var j = max(c, p.after) - p.after; j < end; j++) { ratios += r[row + j]; }
  dx[at] = Dx(f32(dy[at]) / pow(d[at], p.beta) - 2.0 * p.beta * p.slope * f32(x[at]) * ratios);
}
