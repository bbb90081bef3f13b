// Second pass of every split sum: y[i] = sum over s of partial[s, i], in the order of s.
//
// partial [slices, count], y [count]. A thread owns one element. It adds RUN slices, then those sums, because the error
// of a sum grows with the number of consecutive terms.
const WG: u32 = 64u;
const RUN: u32 = 32u;

struct Params { count: u32, slices: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var sum = 0.0;
  for (var first = 0u; first < p.slices; first += RUN) {
    var run = 0.0;
    for (var s = first; s < min(p.slices, first + RUN); s++) { run += partial[s * p.count + id]; }
    sum += run;
  }
  y[id] = sum;
}
