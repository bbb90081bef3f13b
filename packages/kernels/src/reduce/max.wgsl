// Maximum over any dimensions of a tensor: (y, index)[kept] = the largest x[offset(kept) + offset(r)] over r, and the
// first r that has it; with SMALLEST, the smallest. NaN comes before any number, as in PyTorch.
//
// Dimensions, slices and threads are those of sum.wgsl. With MERGE, x and found hold the maxima and indices of an
// earlier pass, whose slices are reduced here. The reduced elements of a part are numbered from p.reducedFirst on.
// With ACCUMULATE, y and index hold the result of earlier parts, which is one more candidate.
const WG: u32 = 64u;
const KEPT: u32 = 4u;
const REDUCED: u32 = 4u;
const MERGE: bool = false;
const ACCUMULATE: bool = false;
const SMALLEST: bool = false;

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
  xFirst: u32,
  yFirst: u32,
  reducedFirst: u32,
  keptSizes: vec4u,
  keptStrides: vec4u,
  reducedSizes: vec4u,
  reducedStrides: vec4u,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read> found: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Y>;
@group(0) @binding(4) var<storage, read_write> index: array<u32>;

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

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn beats(value: Value, candidate: u32, best: Value, bestIndex: u32) -> bool {
  let a = isNan(f32(value));
  let b = isNan(f32(best));
  if (a != b) { return a; }
  let better = select(value > best, value < best, SMALLEST);
  return (!a && better) || ((a || value == best) && candidate < bestIndex);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let base = p.xFirst + keptOffset(id % p.kept);
  let first = id / p.kept;
  var at = base + reducedOffset(first);
  var best = Value(x[at]);
  var bestIndex = p.reducedFirst + first;
  if (MERGE) { bestIndex = found[at]; }
  for (var r = first + p.slices; r < p.reduced; r += p.slices) {
    at = base + reducedOffset(r);
    let value = Value(x[at]);
    var candidate = p.reducedFirst + r;
    if (MERGE) { candidate = found[at]; }
    if (beats(value, candidate, best, bestIndex)) {
      best = value;
      bestIndex = candidate;
    }
  }
  if (ACCUMULATE && beats(Value(y[p.yFirst + id]), index[p.yFirst + id], best, bestIndex)) { return; }
  y[p.yFirst + id] = Y(best);
  index[p.yFirst + id] = bestIndex;
}
