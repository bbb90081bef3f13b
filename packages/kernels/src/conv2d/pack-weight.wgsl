// Brings a weight into the form that the gather kernels read: rows of K with the columns of each group padded to vec4.
//
//   packed[tap, r, g, c] = w[tap*sTap + g*sGroup + r*sRow + c*sCol]   for c < cols, else 0
//
// With sRow and sCol exchanged this is the transpose that the input gradient needs. w may be a part of whole taps
// that begins at p.origin, and packed holds the taps from tapBegin on. A thread owns four columns.
const WG: u32 = 64u;

struct Params {
  count: u32, rows: u32, groups: u32, cols: u32, vectors: u32,
  sTap: u32, sGroup: u32, sRow: u32, sCol: u32,
  tapBegin: u32, origin: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> packed: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.vectors * 4u + vec4u(0u, 1u, 2u, 3u);
  let g = id / p.vectors % p.groups;
  let r = id / (p.vectors * p.groups);
  let tap = p.tapBegin + r / p.rows;
  let inside = c < vec4u(p.cols);
  let at = select(vec4u(), (tap * p.sTap + g * p.sGroup + r % p.rows * p.sRow - p.origin) + c * p.sCol, inside);
  packed[id] = select(vec4f(), vec4f(w[at.x], w[at.y], w[at.z], w[at.w]), inside);
}
