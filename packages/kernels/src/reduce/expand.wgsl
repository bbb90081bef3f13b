// The gradient of a reduction: dx[i] = scale * dy[kept(i)], with SELECT only where index[kept(i)] is the number of i
// among the reduced elements, else 0.
//
// The merged dimensions of x (see sum.wgsl) are listed from the innermost; each has a stride in dy and a stride among
// the reduced elements, one of them 0. Operands may be parts: dx begins at element p.dxFirst, dy and index at
// p.dyFirst, and the reduced elements are numbered from p.reducedFirst on. A thread owns one element of dx.
const WG: u32 = 64u;
const DIMS: u32 = 8u;
const SELECT: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Dy = f32;
alias Dx = f32;

struct Params {
  count: u32,
  scale: f32,
  dxFirst: u32,
  dyFirst: u32,
  reducedFirst: u32,
  // Size, stride in dy, stride among the reduced elements.
  dims: array<vec4u, 8>,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var rest = id;
  var kept = p.dyFirst;
  var reduced = p.reducedFirst;
  for (var i = 0u; i + 1u < DIMS; i++) {
    let dim = p.dims[i];
    let c = rest % dim.x;
    rest /= dim.x;
    kept += c * dim.y;
    reduced += c * dim.z;
  }
  let outermost = p.dims[max(DIMS, 1u) - 1u];
  kept += rest * outermost.y;
  reduced += rest * outermost.z;
  var value = f32(dy[kept]) * p.scale;
  if (SELECT && index[kept] != reduced) { value = 0.0; }
  dx[p.dxFirst + id] = Dx(value);
}
