// y[kept] = scale * sum over r of x[offset(kept) + offset(r)]: a sum over any dims of a tensor in any storage order.
//
// The dims of x, in memory order, are merged into runs that are all kept or all reduced; at most four of each, numbered
// from the innermost, with their sizes and their strides in x. A thread owns one kept element of one slice and adds the
// reduced elements slice, slice + slices, … in that order. With slices > 1, y is [slices, kept] and a further pass of
// the same kernel sums the slices. The error of a sum grows with the terms
// in a row, so eight elements at a time are added among themselves, RUN of those in a row, and RUN of those again. x and y may be windows, of which the
// elements from xFirst and yFirst on are meant; with ACCUMULATE the sums are added to what y holds of earlier windows.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const KEPT: u32 = 4u;
const REDUCED: u32 = 4u;
const ACCUMULATE: bool = false;

struct Params {
  count: u32,
  kept: u32,
  reduced: u32,
  slices: u32,
  scale: f32,
  keptSize0: u32,
  keptSize1: u32,
  keptSize2: u32,
  keptStride0: u32,
  keptStride1: u32,
  keptStride2: u32,
  keptStride3: u32,
  reducedSize0: u32,
  reducedSize1: u32,
  reducedSize2: u32,
  reducedStride0: u32,
  reducedStride1: u32,
  reducedStride2: u32,
  reducedStride3: u32,
  xFirst: u32,
  yFirst: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

fn keptOffset(index: u32) -> u32 {
  if (KEPT <= 1u) { return index * p.keptStride0; }
  var rest = index;
  var offset = rest % p.keptSize0 * p.keptStride0;
  rest /= p.keptSize0;
  if (KEPT == 2u) { return offset + rest * p.keptStride1; }
  offset += rest % p.keptSize1 * p.keptStride1;
  rest /= p.keptSize1;
  if (KEPT == 3u) { return offset + rest * p.keptStride2; }
  return offset + rest % p.keptSize2 * p.keptStride2 + rest / p.keptSize2 * p.keptStride3;
}

fn reducedOffset(index: u32) -> u32 {
  if (REDUCED <= 1u) { return index * p.reducedStride0; }
  var rest = index;
  var offset = rest % p.reducedSize0 * p.reducedStride0;
  rest /= p.reducedSize0;
  if (REDUCED == 2u) { return offset + rest * p.reducedStride1; }
  offset += rest % p.reducedSize1 * p.reducedStride1;
  rest /= p.reducedSize1;
  if (REDUCED == 3u) { return offset + rest * p.reducedStride2; }
  return offset + rest % p.reducedSize2 * p.reducedStride2 + rest / p.reducedSize2 * p.reducedStride3;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let base = p.xFirst + keptOffset(id % p.kept);
  var sum = 0.0;
  var middle = 0.0;
  var high = 0.0;
  var taken = 0u;
  var r = id / p.kept;
  for (; r < p.reduced && p.reduced - r > 7u * p.slices; r += 8u * p.slices) {
    var v: array<f32, 8>;
    for (var i = 0u; i < 8u; i++) { v[i] = x[base + reducedOffset(r + i * p.slices)]; }
    sum += ((v[0] + v[1]) + (v[2] + v[3])) + ((v[4] + v[5]) + (v[6] + v[7]));
    taken++;
    if (taken % RUN == 0u) {
      middle += sum;
      sum = 0.0;
      if (taken % (RUN * RUN) == 0u) {
        high += middle;
        middle = 0.0;
      }
    }
  }
  for (; r < p.reduced; r += p.slices) { sum += x[base + reducedOffset(r)]; }
  sum = (high + (middle + sum)) * p.scale;
  if (ACCUMULATE) { sum += y[p.yFirst + id]; }
  y[p.yFirst + id] = sum;
}
