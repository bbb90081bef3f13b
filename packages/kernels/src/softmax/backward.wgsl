// Gradient of softmax along one dimension, from the result y.
//
//   dx = y * (dy - sum of dy * y)      or with LOG      dx = dy - exp(y) * sum of dy
//
// Layout, threads and the order of the sums are those of forward.wgsl.
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
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let begin = p.first + id / p.inner * p.size * p.inner + id % p.inner;
  let end = begin + p.size * p.inner;
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
        if (LOG) { run += dy[i]; } else { run = fma(dy[i], y[i], run); }
      }
      middle += run;
    }
    sum += middle;
  }
  for (var i = begin; i < end; i += p.inner) {
    if (LOG) { dx[i] = dy[i] - exp(y[i]) * sum; } else { dx[i] = y[i] * (dy[i] - sum); }
  }
}
