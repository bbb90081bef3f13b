// Matrix product over batches: c[batch, m, n] (+)= sum over k of a[batch, m, k] * b[batch, k, n].
//
// a and b have any strides, 0 in a batch dimension that broadcasts; the columns of c are adjacent. A thread owns a 4 x
// 4 tile of c and takes four k at a time. A_ALONG and B_ALONG say how it loads four rows (columns) by four k: 0
// scalars, 1 vectors along k, 2 vectors along m (n). Vectors need stride 1 along themselves, and all other strides and
// the length multiples of 4. Rows past the edge repeat the last one and are not stored; k past the end count as 0.
//
// Slices of k write c [slices, batch, M, N], which a second pass sums. Operands may be parts that begin at aFirst,
// bFirst and cFirst; with ACCUMULATE c holds the sum over an earlier part of k. RUN products of four k are added, then
// those sums, because the error of a sum grows with the number of consecutive terms.
const WG: u32 = 64u;
const RUN: u32 = 64u;
const A_ALONG: u32 = 0u;
const B_ALONG: u32 = 0u;
const BATCH_DIMS: u32 = 6u;
const ACCUMULATE: bool = false;

struct Params {
  count: u32,
  rows: u32,
  columns: u32,
  inner: u32,
  innerPerSlice: u32,
  tilesM: u32,
  tilesN: u32,
  batches: u32,
  aRow: u32,
  aInner: u32,
  bInner: u32,
  bColumn: u32,
  cRow: u32,
  cSlice: u32,
  aFirst: u32,
  bFirst: u32,
  cFirst: u32,
  // Batch dimensions from the innermost: size, strides in a, b and c.
  batch: array<vec4u, 6>,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> a4: array<vec4f>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read> b4: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> c: array<f32>;

// Four rows of a at k.
fn columnA(at: vec4u, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  if (A_ALONG == 2u) { return a4[at.x / 4u]; }
  return vec4f(a[at.x], a[at.y], a[at.z], a[at.w]);
}

// Four columns of b at k.
fn rowB(at: vec4u, k: u32, end: u32) -> vec4f {
  if (k >= end) { return vec4f(); }
  if (B_ALONG == 2u) { return b4[at.x / 4u]; }
  return vec4f(b[at.x], b[at.y], b[at.z], b[at.w]);
}

// Column i of the result holds four rows of a at k + i.
fn tileA(origin: vec4u, k: u32, end: u32) -> mat4x4f {
  if (A_ALONG == 1u) {
    let at = (origin + k) / 4u;
    return transpose(mat4x4f(a4[at.x], a4[at.y], a4[at.z], a4[at.w]));
  }
  let step = p.aInner;
  let at = origin + k * step;
  return mat4x4f(columnA(at, k, end), columnA(at + step, k + 1u, end),
                 columnA(at + 2u * step, k + 2u, end), columnA(at + 3u * step, k + 3u, end));
}

// Column i of the result holds four columns of b at k + i.
fn tileB(origin: vec4u, k: u32, end: u32) -> mat4x4f {
  if (B_ALONG == 1u) {
    let at = (origin + k) / 4u;
    return transpose(mat4x4f(b4[at.x], b4[at.y], b4[at.z], b4[at.w]));
  }
  let step = p.bInner;
  let at = origin + k * step;
  return mat4x4f(rowB(at, k, end), rowB(at + step, k + 1u, end),
                 rowB(at + 2u * step, k + 2u, end), rowB(at + 3u * step, k + 3u, end));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let m = id / p.tilesN % p.tilesM * 4u;
  let n = id % p.tilesN * 4u;
  let batchSlice = id / (p.tilesM * p.tilesN);
  let slice = batchSlice / p.batches;
  let begin = slice * p.innerPerSlice;
  let end = min(p.inner, begin + p.innerPerSlice);
  var rest = batchSlice % p.batches;
  var base = vec3u(p.aFirst, p.bFirst, p.cFirst + slice * p.cSlice);
  for (var i = 0u; i + 1u < BATCH_DIMS; i++) {
    let dim = p.batch[i];
    base += rest % dim.x * dim.yzw;
    rest /= dim.x;
  }
  base += rest * p.batch[max(BATCH_DIMS, 1u) - 1u].yzw;
  let lanes = vec4u(0u, 1u, 2u, 3u);
  let row = select(min(m + lanes, vec4u(p.rows - 1u)), m + lanes, A_ALONG == 2u);
  let column = select(min(n + lanes, vec4u(p.columns - 1u)), n + lanes, B_ALONG == 2u);
  let fromA = base.x + row * p.aRow;
  let fromB = base.y + column * p.bColumn;
  // Column i of the sum is row m + i of c.
  var sum: mat4x4f;
  for (var start = begin; start < end; start += 4u * RUN) {
    var run = mat4x4f();
    for (var k = start; k < min(end, start + 4u * RUN); k += 4u) {
      run += tileB(fromB, k, end) * transpose(tileA(fromA, k, end));
    }
    sum += run;
  }
  for (var i = 0u; i < 4u && m + i < p.rows; i++) {
    let to = base.z + (m + i) * p.cRow + n;
    for (var j = 0u; j < 4u && n + j < p.columns; j++) {
      if (ACCUMULATE) { c[to + j] += sum[i][j]; } else { c[to + j] = sum[i][j]; }
    }
  }
}
