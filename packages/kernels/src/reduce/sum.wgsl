// Sum over any dimensions of a tensor in any storage order: y[kept] = scale * sum over r of x[offset(kept) +
// offset(r)].
//
// The dimensions of x, in memory order, are merged where neighbours are all kept or all reduced: at most four of each,
// listed from the innermost with their sizes and their strides in x. A thread owns one kept element of one slice and
// adds the reduced elements slice, slice + slices, ... in that order. With slices > 1, y is [slices, kept], and a
// further pass of the same kernel sums the slices. x and y may be parts that begin at elements p.xFirst and p.yFirst;
// with ACCUMULATE the sums are added to those of earlier parts in y.
//
// The error of a sum grows with the number of consecutive terms, so eight elements are added among themselves, then RUN
// of those sums, then RUN of those again.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const KEPT: u32 = 4u;
const REDUCED: u32 = 4u;
const ACCUMULATE: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;
// The type in which they are computed; for int32 the planner replaces all three by i32.
alias Value = f32;

struct Params {
  count: u32,
  kept: u32,
  reduced: u32,
  slices: u32,
  scale: f32,
  xFirst: u32,
  yFirst: u32,
  keptSizes: vec4u,
  keptStrides: vec4u,
  reducedSizes: vec4u,
  reducedStrides: vec4u,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

// The offset of an element by its number, from sizes and strides listed from the innermost dimension.
fn offsetOf(number: u32, dims: u32, sizes: vec4u, strides: vec4u) -> u32 {
  var rest = number;
  var offset = 0u;
  for (var i = 0u; i + 1u < dims; i++) {
    offset += rest % sizes[i] * strides[i];
    rest /= sizes[i];
  }
  return offset + rest * strides[max(dims, 1u) - 1u];
}

fn keptOffset(number: u32) -> u32 { return offsetOf(number, KEPT, p.keptSizes, p.keptStrides); }
fn reducedOffset(number: u32) -> u32 { return offsetOf(number, REDUCED, p.reducedSizes, p.reducedStrides); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let base = p.xFirst + keptOffset(id % p.kept);
  var sum = Value(0);
  var middle = Value(0);
  var high = Value(0);
  var taken = 0u;
  var r = id / p.kept;
  for (; r < p.reduced && p.reduced - r > 7u * p.slices; r += 8u * p.slices) {
    var v: array<Value, 8>;
    for (var i = 0u; i < 8u; i++) { v[i] = Value(x[base + reducedOffset(r + i * p.slices)]); }
    sum += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    taken++;
    if (taken % RUN == 0u) {
      middle += sum;
      sum = Value(0);
      if (taken % (RUN * RUN) == 0u) {
        high += middle;
        middle = Value(0);
      }
    }
  }
  for (; r < p.reduced; r += p.slices) { sum += Value(x[base + reducedOffset(r)]); }
  sum = (high + (middle + sum)) * Value(p.scale);
  if (ACCUMULATE) { sum += Value(y[p.yFirst + id]); }
  y[p.yFirst + id] = Y(sum);
}
