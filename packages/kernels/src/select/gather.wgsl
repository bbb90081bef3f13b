// Elements of x by their place along a dimension: y[o, j, i] = x[o, index[o, j, i], i] for x [outer, size, inner]
// and y [outer, places, inner], all in row-major order; with SHARED, index is [places] and the same for all o and i.
// A place below 0 or from size on gives NaN, or 0 where elements are integers (INTEGER).
//
// A thread owns an element of y. What is bound begins at elements p.xFirst, p.indexFirst and p.yFirst. For int32 the
// planner replaces the types of elements by i32.
const WG: u32 = 64u;
const SHARED: bool = false;
const INTEGER: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params {
  count: u32,
  size: u32,
  places: u32,
  inner: u32,
  xFirst: u32,
  indexFirst: u32,
  yFirst: u32,
  nanBits: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let row = id / p.inner;
  let outer = row / p.places;
  // As u32, a place below 0 is larger than any size.
  let place = u32(index[p.indexFirst + select(id, row % p.places, SHARED)]);
  if (place >= p.size) {
    var none = Y(0);
    if (!INTEGER) { none = Y(bitcast<f32>(p.nanBits)); }
    y[p.yFirst + id] = none;
    return;
  }
  y[p.yFirst + id] = Y(x[p.xFirst + (outer * p.size + place) * p.inner + id % p.inner]);
}
