// First pass of a sum over rows.
//
//   partial[slice, c] = sum of x[row, c] over the rows slice, slice + slices, ...
//
// x [rows, columns] and partial [slices, columns] are in vectors of four. x may be a part of whole rows, whose slices
// begin at p.base of partial. A thread owns four columns of one slice. It adds RUN rows, then RUN of those sums, and so
// on, because the error of a sum grows with the number of consecutive terms.
const WG: u32 = 64u;
const RUN: u32 = 32u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;

struct Params {
  count: u32,
  columns: u32,
  rows: u32,
  slices: u32,
  base: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> partial: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.columns;
  var sum = vec4f();
  var middle = vec4f();
  var high = vec4f();
  var taken = 0u;
  for (var row = id / p.columns; row < p.rows; row += p.slices) {
    sum += vec4f(x[row * p.columns + c]);
    taken++;
    if (taken % RUN == 0u) {
      middle += sum;
      sum = vec4f();
      if (taken % (RUN * RUN) == 0u) {
        high += middle;
        middle = vec4f();
      }
    }
  }
  partial[p.base + id] = high + (middle + sum);
}
