// The gradient of gather.wgsl: dx[o, s, i] = the sum of dy[o, j, i] over the j whose place is s, in the order of j, so
// that places that repeat give the same bits each time. With SHARED, index is [places]. A thread owns an element of dx
// and looks at all places. What is bound begins at elements p.dxFirst, p.indexFirst and p.dyFirst.
const WG: u32 = 64u;
const SHARED: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Dy = f32;
alias Dx = f32;

struct Params {
  count: u32,
  size: u32,
  places: u32,
  inner: u32,
  dyFirst: u32,
  indexFirst: u32,
  dxFirst: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read> index: array<i32>;
@group(0) @binding(3) var<storage, read_write> dx: array<Dx>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let row = id / p.inner;
  let own = i32(row % p.size);
  let begin = row / p.size * p.places * p.inner + id % p.inner;
  var sum = 0.0;
  for (var j = 0u; j < p.places; j++) {
    let at = begin + j * p.inner;
    if (index[p.indexFirst + select(at, j, SHARED)] == own) { sum += f32(dy[p.dyFirst + at]); }
  }
  dx[p.dxFirst + id] = Dx(sum);
}
