// Softmax along one dimension, m being the maximum along it.
//
//   y = exp(x - m) / sum of exp(x - m)      or with LOG      y = x - m - log(sum of exp(x - m))
//
// x and y are [outer, size, inner] in memory, and the middle dimension is the one that is normalised, which covers any
// storage order. Both may be parts whose rows begin at element p.first. A thread owns one line along the dimension.
// It adds RUN terms, then RUN of those sums, and so on, because the error of a sum grows with the number of consecutive
// terms.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const LOG: bool = false;

struct Params {
  count: u32,
  size: u32,
  inner: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let begin = p.first + id / p.inner * p.size * p.inner + id % p.inner;
  let end = begin + p.size * p.inner;
  var largest = x[begin];
  for (var i = begin; i < end; i += p.inner) { largest = max(largest, x[i]); }
  var sum = 0.0;
  let shortRun = min(RUN, p.size) * p.inner;
  let longRun = min(RUN * RUN, p.size) * p.inner;
  for (var block = begin; block < end; block += longRun) {
    let blockEnd = min(end, block + longRun);
    var middle = 0.0;
    for (var first = block; first < blockEnd; first += shortRun) {
      let last = min(blockEnd, first + shortRun);
      var run = 0.0;
      for (var i = first; i < last; i += p.inner) {
        let e = exp(x[i] - largest);
        run += e;
        if (!LOG) { y[i] = e; }
      }
      middle += run;
    }
    sum += middle;
  }
  let logSum = log(sum);
  for (var i = begin; i < end; i += p.inner) {
    if (LOG) { y[i] = x[i] - largest - logSum; } else { y[i] = y[i] / sum; }
  }
}
