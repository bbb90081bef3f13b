// Gradient of normalisation, second pass of its two sums, over the slices of each channel and the channels of each
// group.
//
//   PARAMETERS   dbias[c] = sum of dy      dweight[c] = sum of dy * xhat,  xhat = (x - mean) * invStd
//   TERMS        terms[0, n, g] = mean     terms[2, n, g] = slope = invStd^2 * mean of weight * dy * xhat
//                terms[1, n, g] = invStd   terms[3, n, g] = offset = invStd * mean of weight * dy
//
// The means go over the rows and the `width` channels of a group. partial [2, N, slices, C] from backward-sums.wgsl;
// stats [2, N, G]; terms [4, N, G]; weight, dweight, dbias [C]. PARAMETERS assumes N = 1: the slices of all images are
// taken for those of one. A thread owns a group of an image. It adds RUN slices of a channel, then those sums, because
// the error of a sum grows with the number of consecutive terms.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const HAS_WEIGHT: bool = true;
const PARAMETERS: bool = true;
const TERMS: bool = true;

struct Params { count: u32, channels: u32, width: u32, rows: u32, slices: u32 }

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
  let perImage = p.channels / p.width;
  let begin = id / perImage * p.slices * p.channels;
  let second = p.count / perImage * p.slices * p.channels;
  let firstChannel = id % perImage * p.width;
  var total = vec2f();
  for (var c = firstChannel; c < firstChannel + p.width; c++) {
    var sum = vec2f();
    for (var first = 0u; first < p.slices; first += RUN) {
      var run = vec2f();
      for (var s = first; s < min(p.slices, first + RUN); s++) {
        let at = begin + s * p.channels + c;
        run += vec2f(partial[at], partial[second + at]);
      }
      sum += run;
    }
    if (PARAMETERS) {
      dbias[c] = sum.x;
      dweight[c] = sum.y;
    }
    if (HAS_WEIGHT) { sum *= weight[c]; }
    total += sum;
  }
  if (TERMS) {
    let invStd = stats[p.count + id];
    let scale = invStd / f32(p.rows * p.width);
    terms[id] = stats[id];
    terms[p.count + id] = invStd;
    terms[2u * p.count + id] = scale * invStd * total.y;
    terms[3u * p.count + id] = scale * total.x;
  }
}
