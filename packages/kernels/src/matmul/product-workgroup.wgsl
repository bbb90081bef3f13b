// Matrix product over batches through workgroup memory: the equation, buffers and parameters of product.wgsl.
//
//   c[batch, m, n] (+)= sum over k of a[batch, m, k] * b[batch, k, n]
//
// A workgroup owns 64 x 64 elements of c and takes BK of k a step: half of its threads bring a 4 x 4 block of a each,
// the other half of b, and each sums 8 rows x 4 columns from there. Both tiles lie by k, with four rows or columns a
// vec4. The rows of a thread lie in two groups of four.
//
// RUN steps are added before the sums go to c, because the error of a sum grows with the number of consecutive terms.
// Each lane sums much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
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

const WG: u32 = 128u;
const BK: u32 = 16u;
// Groups of four rows, and of four columns, of the tile.
const B4: u32 = 16u;
const PM: u32 = 8u;
var<workgroup> aTile: array<vec4f, BK * B4>;
var<workgroup> bTile: array<vec4f, BK * B4>;

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
fn blockA(origin: vec4u, k: u32, end: u32) -> mat4x4f {
  if (A_ALONG == 1u) {
    if (k >= end) { return mat4x4f(); }
    let at = (origin + k) / 4u;
    return transpose(mat4x4f(a4[at.x], a4[at.y], a4[at.z], a4[at.w]));
  }
  let step = p.aInner;
  let at = origin + k * step;
  return mat4x4f(columnA(at, k, end), columnA(at + step, k + 1u, end),
                 columnA(at + 2u * step, k + 2u, end), columnA(at + 3u * step, k + 3u, end));
}

// Column i of the result holds four columns of b at k + i.
fn blockB(origin: vec4u, k: u32, end: u32) -> mat4x4f {
  if (B_ALONG == 1u) {
    if (k >= end) { return mat4x4f(); }
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
  let id = group.x + group.y * groups.x;
  if (id >= p.count) { return; }
  let m0 = id / p.tilesN % p.tilesM * B4 * 4u;
  let n0 = id % p.tilesN * B4 * 4u;
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

  // The block that this thread brings. Where vectors lie along k, neighbours take the next four k, else the next rows
  // or columns. Rows and columns past the edge repeat the last and are not stored.
  let isA = local < WG / 2u;
  let block = local % (WG / 2u);
  let isAlongK = select(B_ALONG == 1u, A_ALONG == 1u, isA);
  let part = select(block % B4, block / (BK / 4u), isAlongK);
  let fromK = select(block / B4, block % (BK / 4u), isAlongK) * 4u;
  let last = select(p.columns, p.rows, isA) - 1u;
  let lane = min(min(select(n0, m0, isA) / 4u + part, last / 4u) * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(last));
  let at = select(base.y, base.x, isA) + lane * select(p.bColumn, p.aRow, isA);

  let tx = local % B4;
  let ty = local / B4;
  let steps = (end - begin + BK - 1u) / BK;
  for (var first = 0u; first < max(1u, steps); first += RUN) {
    var acc = array<vec4f, 8>();
    for (var step = first; step < min(steps, first + RUN); step++) {
      let k = begin + step * BK + fromK;
      var tile: mat4x4f;
      if (isA) { tile = blockA(at, k, end); } else { tile = blockB(at, k, end); }
      workgroupBarrier();
      for (var i = 0u; i < 4u; i++) {
        if (isA) { aTile[(fromK + i) * B4 + part] = tile[i]; } else { bTile[(fromK + i) * B4 + part] = tile[i]; }
      }
      workgroupBarrier();
      for (var q = 0u; q < BK; q++) {
        let l = array(aTile[q * B4 + ty], aTile[q * B4 + ty + PM]);
        let r = bTile[q * B4 + tx];
        for (var i = 0u; i < 8u; i++) { acc[i] = fma(vec4f(l[i / 4u][i % 4u]), r, acc[i]); }
      }
    }
    for (var i = 0u; i < 8u; i++) {
      let m = m0 + (ty + i / 4u * PM) * 4u + i % 4u;
      let n = n0 + tx * 4u;
      if (m >= p.rows) { continue; }
      let to = base.z + m * p.cRow + n;
      for (var j = 0u; j < 4u && n + j < p.columns; j++) {
        if (ACCUMULATE || first > 0u) { c[to + j] += acc[i][j]; } else { c[to + j] = acc[i][j]; }
      }
    }
  }
}
