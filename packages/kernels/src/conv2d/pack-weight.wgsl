// Brings a weight into the form that the gather kernels read: rows of K with the columns of each group padded to vec4.
//
//   packed[tap, r, g, c] = w[tap*sTap + g*sGroup + r*sRow + c*sCol]   for c < cols, else 0
//
// With (sRow, sCol) exchanged this is the transpose that the input gradient needs. One thread an element of `packed`.
const WG: u32 = 64u;

struct Params {
  count: u32, rows: u32, groups: u32, cols: u32, colsPadded: u32,
  sTap: u32, sGroup: u32, sRow: u32, sCol: u32,
  tapBegin: u32, origin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.colsPadded;
  let g = id / p.colsPadded % p.groups;
  let r = id / (p.colsPadded * p.groups);
  let tap = p.tapBegin + r / p.rows;
  let source = tap * p.sTap + g * p.sGroup + r % p.rows * p.sRow + c * p.sCol - p.origin;
  packed[id] = select(0.0, w[select(0u, source, c < p.cols)], c < p.cols);
}
