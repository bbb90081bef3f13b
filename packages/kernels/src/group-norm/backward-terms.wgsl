// Second pass of the gradient's two sums for the input: over the slices and channels of a group, each channel by its weight.
//
//   terms[0, n, g] = sum of weight * dy / (rows * width)      terms[1, n, g] = sum of weight * dy * xhat / (rows * width)
//
// partial [2, N, slices, C], terms [2, N, G]. A thread owns a group of an image.
const WG: u32 = 64u;
const HAS_WEIGHT: bool = true;

struct Params { count: u32, channels: u32, width: u32, rows: u32, slices: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> terms: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let perImage = p.channels / p.width;
  let image = id / perImage;
  let firstChannel = id % perImage * p.width;
  let second = p.count / perImage * p.slices * p.channels;
  var sum = 0.0;
  var product = 0.0;
  for (var c = firstChannel; c < firstChannel + p.width; c++) {
    var w = 1.0;
    if (HAS_WEIGHT) { w = weight[c]; }
    // A channel by itself: the error of a sum grows with the terms in a row.
    var own = vec2f();
    for (var s = 0u; s < p.slices; s++) {
      let at = (image * p.slices + s) * p.channels + c;
      own += vec2f(partial[at], partial[second + at]);
    }
    sum = fma(w, own.x, sum);
    product = fma(w, own.y, product);
  }
  let values = f32(p.rows * p.width);
  terms[id] = sum / values;
  terms[p.count + id] = product / values;
}
