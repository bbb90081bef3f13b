// The order of the elements of each row of x [outer, size, inner] along its middle dimension: index[o, r, i] is the
// place of the element that comes r-th, for r < kept, of index [outer, kept, inner]. Small ones come first, or with
// DESCENDING large ones; of equal ones, the first. NaN counts as larger than any number.
//
// A thread owns an element of x, and counts those that come before it. What is bound begins at elements p.xFirst and
// p.indexFirst.
const WG: u32 = 64u;
const DESCENDING: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
// The type in which they are compared; for int32 the planner replaces both by i32.
alias Value = f32;

struct Params {
  count: u32,
  size: u32,
  kept: u32,
  inner: u32,
  xFirst: u32,
  indexFirst: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> index: array<i32>;

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn isLess(a: Value, b: Value) -> bool {
  let aNan = isNan(f32(a));
  let bNan = isNan(f32(b));
  return (!aNan && bNan) || (!aNan && !bNan && a < b);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let row = id / p.inner;
  let own = row % p.size;
  let lane = id % p.inner;
  let outer = row / p.size;
  let begin = p.xFirst + outer * p.size * p.inner + lane;
  let value = Value(x[begin + own * p.inner]);
  var rank = 0u;
  for (var s = 0u; s < p.size; s++) {
    let other = Value(x[begin + s * p.inner]);
    var before = isLess(other, value);
    var after = isLess(value, other);
    if (DESCENDING) {
      let less = before;
      before = after;
      after = less;
    }
    if (before || (!after && s < own)) { rank++; }
  }
  if (rank < p.kept) { index[p.indexFirst + (outer * p.kept + rank) * p.inner + lane] = i32(own); }
}
