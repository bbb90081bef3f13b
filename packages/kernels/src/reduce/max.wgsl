// (y, index)[kept] = the largest x[offset(kept) + offset(r)] over r, and the r where it stands: the first one among equals.
// NaN is larger than any number, as in PyTorch.
//
// Dims, slices and threads as in reduce/sum. With MERGE, x holds the values and found the places of an earlier pass, whose
// slices are reduced here. The reduced elements of a window are numbered from p.place on, and
// with ACCUMULATE what y and index hold of earlier windows is one more candidate.
const WG: u32 = 64u;
const KEPT: u32 = 4u;
const REDUCED: u32 = 4u;
const MERGE: bool = false;
const ACCUMULATE: bool = false;

struct Params {
  count: u32,
  kept: u32,
  reduced: u32,
  slices: u32,
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
  place: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> found: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> index: array<u32>;

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

fn isNan(v: f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }

fn beats(value: f32, candidate: u32, best: f32, place: u32) -> bool {
  let a = isNan(value);
  let b = isNan(best);
  if (a != b) { return a; }
  return (!a && value > best) || ((a || value == best) && candidate < place);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let base = p.xFirst + keptOffset(id % p.kept);
  let first = id / p.kept;
  var at = base + reducedOffset(first);
  var best = x[at];
  var place = p.place + first;
  if (MERGE) { place = found[at]; }
  for (var r = first + p.slices; r < p.reduced; r += p.slices) {
    at = base + reducedOffset(r);
    let value = x[at];
    var candidate = p.place + r;
    if (MERGE) { candidate = found[at]; }
    if (beats(value, candidate, best, place)) {
      best = value;
      place = candidate;
    }
  }
  if (ACCUMULATE && beats(y[p.yFirst + id], index[p.yFirst + id], best, place)) { return; }
  y[p.yFirst + id] = best;
  index[p.yFirst + id] = place;
}
