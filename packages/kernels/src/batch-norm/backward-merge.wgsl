// Second pass of the gradient's two sums, and what the input gradient needs of them:
//
//   dbias[c] = S1 = sum of dy      dweight[c] = S2 = invStd * sum of dy * (x - mean)
//   dx = scale * dy - slope * (x - mean) - offset      with scale = weight * invStd and, where TRAINING (the batch's own
//   statistics depend on x),  slope = scale * invStd * S2 / rows  and  offset = scale * S1 / rows, else 0
//
// partial [2, slices, C], stats [2, C], terms [4, C] = mean, scale, slope, offset. A thread owns a channel and adds RUN slices in a row,
// then those sums: the error of a sum grows with the terms in a row.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const TRAINING: bool = true;
const HAS_WEIGHT: bool = true;

struct Params { count: u32, rows: u32, slices: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read> stats: array<f32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> dweight: array<f32>;
@group(0) @binding(5) var<storage, read_write> dbias: array<f32>;
@group(0) @binding(6) var<storage, read_write> terms: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var sum = 0.0;
  var product = 0.0;
  for (var first = 0u; first < p.slices; first += RUN) {
    var run = vec2f();
    for (var s = first; s < min(p.slices, first + RUN); s++) {
      run += vec2f(partial[s * p.count + id], partial[(p.slices + s) * p.count + id]);
    }
    sum += run.x;
    product += run.y;
  }
  let invStd = stats[p.count + id];
  product *= invStd;
  dbias[id] = sum;
  dweight[id] = product;
  var scale = invStd;
  if (HAS_WEIGHT) { scale *= weight[id]; }
  let rows = f32(p.rows);
  terms[id] = stats[id];
  terms[p.count + id] = scale;
  terms[2u * p.count + id] = select(0.0, scale * invStd * product / rows, TRAINING);
  terms[3u * p.count + id] = select(0.0, scale * sum / rows, TRAINING);
}
