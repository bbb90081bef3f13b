// Batch normalisation: y[m, c] = (x[m, c] - mean[c]) * invStd[c] * weight[c] + bias[c].
//
// x, y [rows, C], channels last; stats [2, C] holds mean, then invStd. A thread owns one channel of ROWS rows, or four
// channels (VEC: x4 and y4 are used and p.columns counts vec4), so that it reads the statistics once. x and y may be windows whose rows
// begin at element p.first.
const WG: u32 = 64u;
const ROWS: u32 = 8u;
const VEC: bool = false;
const HAS_WEIGHT: bool = true;
const HAS_BIAS: bool = true;

struct Params { count: u32, columns: u32, rows: u32, channels: u32, first: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> bias: array<f32>;
@group(0) @binding(6) var<storage, read_write> y: array<f32>;
@group(0) @binding(7) var<storage, read_write> y4: array<vec4f>;

fn scaleOf(c: u32) -> f32 {
  let invStd = stats[p.channels + c];
  if (HAS_WEIGHT) { return invStd * weight[c]; }
  return invStd;
}

fn biasOf(c: u32) -> f32 {
  if (HAS_BIAS) { return bias[c]; }
  return 0.0;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let column = id % p.columns;
  let begin = id / p.columns * ROWS;
  let end = min(p.rows, begin + ROWS);
  if (VEC) {
    let c = column * 4u;
    let mean = vec4f(stats[c], stats[c + 1u], stats[c + 2u], stats[c + 3u]);
    let scale = vec4f(scaleOf(c), scaleOf(c + 1u), scaleOf(c + 2u), scaleOf(c + 3u));
    let shift = vec4f(biasOf(c), biasOf(c + 1u), biasOf(c + 2u), biasOf(c + 3u));
    for (var row = begin; row < end; row++) {
      let at = p.first + row * p.columns + column;
      y4[at] = (x4[at] - mean) * scale + shift;
    }
  } else {
    let mean = stats[column];
    let scale = scaleOf(column);
    let shift = biasOf(column);
    for (var row = begin; row < end; row++) {
      let at = p.first + row * p.columns + column;
      y[at] = (x[at] - mean) * scale + shift;
    }
  }
}
