// The gradient of a reduction: dx[i] = scale * dy[kept(i)], and with SELECT only where index[kept(i)] is the place of i among the
// reduced elements, else 0.
//
// The merged dims of x (see reduce/sum) are numbered from the innermost; each has a stride in dy and a stride in the order
// of the reduced elements, one of them 0. Operands may be windows: the
// elements from dxFirst and dyFirst on are meant, and the reduced ones are numbered from p.place on. A thread owns one element of dx.
const WG: u32 = 64u;
const DIMS: u32 = 8u;
const SELECT: bool = false;

struct Params {
  count: u32,
  scale: f32,
  size0: u32,
  size1: u32,
  size2: u32,
  size3: u32,
  size4: u32,
  size5: u32,
  size6: u32,
  size7: u32,
  kept0: u32,
  kept1: u32,
  kept2: u32,
  kept3: u32,
  kept4: u32,
  kept5: u32,
  kept6: u32,
  kept7: u32,
  reduced0: u32,
  reduced1: u32,
  reduced2: u32,
  reduced3: u32,
  reduced4: u32,
  reduced5: u32,
  reduced6: u32,
  reduced7: u32,
  dxFirst: u32,
  dyFirst: u32,
  place: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var rest = id;
  var kept = p.dyFirst;
  var place = p.place;
  if (DIMS > 0u) {
    let i = rest % p.size0;
    rest /= p.size0;
    kept += i * p.kept0;
    place += i * p.reduced0;
  }
  if (DIMS > 1u) {
    let i = rest % p.size1;
    rest /= p.size1;
    kept += i * p.kept1;
    place += i * p.reduced1;
  }
  if (DIMS > 2u) {
    let i = rest % p.size2;
    rest /= p.size2;
    kept += i * p.kept2;
    place += i * p.reduced2;
  }
  if (DIMS > 3u) {
    let i = rest % p.size3;
    rest /= p.size3;
    kept += i * p.kept3;
    place += i * p.reduced3;
  }
  if (DIMS > 4u) {
    let i = rest % p.size4;
    rest /= p.size4;
    kept += i * p.kept4;
    place += i * p.reduced4;
  }
  if (DIMS > 5u) {
    let i = rest % p.size5;
    rest /= p.size5;
    kept += i * p.kept5;
    place += i * p.reduced5;
  }
  if (DIMS > 6u) {
    let i = rest % p.size6;
    rest /= p.size6;
    kept += i * p.kept6;
    place += i * p.reduced6;
  }
  if (DIMS > 7u) {
    let i = rest % p.size7;
    rest /= p.size7;
    kept += i * p.kept7;
    place += i * p.reduced7;
  }
  var value = dy[kept] * p.scale;
  if (SELECT && index[kept] != place) { value = 0.0; }
  dx[p.dxFirst + id] = value;
}
