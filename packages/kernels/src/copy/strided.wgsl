// Copies a box of up to eight dimensions between two buffers with any strides. Changes of memory format, slices, crops,
// concatenation, padding and broadcasting are all this copy.
//
//   dst[dstOffset + sum of c_i*d_i] = src[srcOffset + sum of c_i*s_i]   for 0 <= c_i < n_i
//
// Words are copied unread, so any four-byte type will do, and halves as they are; with ADD, which halves do not have,
// they are floats that are added to dst. Strides may be negative, since u32 arithmetic wraps. A thread owns an element.
// Dimension 0 is the outermost and 7 varies fastest; a box of fewer dimensions (RANK) leaves out those after it.
const WG: u32 = 64u;
const RANK: u32 = 8u;
const ADD: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Source = u32;
alias Target = u32;

struct Params {
  count: u32, n1: u32, n2: u32, n3: u32, n4: u32, n5: u32, n6: u32, n7: u32,
  s0: u32, s1: u32, s2: u32, s3: u32, s4: u32, s5: u32, s6: u32, s7: u32,
  d0: u32, d1: u32, d2: u32, d3: u32, d4: u32, d5: u32, d6: u32, d7: u32,
  srcOffset: u32, dstOffset: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> src: array<Source>;
@group(0) @binding(2) var<storage, read_write> dst: array<Target>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var rest = id;
  var source = p.srcOffset;
  var to = p.dstOffset;
  if (RANK > 1u) { let c = rest % p.n7; rest /= p.n7; source += c * p.s7; to += c * p.d7; }
  if (RANK > 2u) { let c = rest % p.n6; rest /= p.n6; source += c * p.s6; to += c * p.d6; }
  if (RANK > 3u) { let c = rest % p.n5; rest /= p.n5; source += c * p.s5; to += c * p.d5; }
  if (RANK > 4u) { let c = rest % p.n4; rest /= p.n4; source += c * p.s4; to += c * p.d4; }
  if (RANK > 5u) { let c = rest % p.n3; rest /= p.n3; source += c * p.s3; to += c * p.d3; }
  if (RANK > 6u) { let c = rest % p.n2; rest /= p.n2; source += c * p.s2; to += c * p.d2; }
  if (RANK > 7u) { let c = rest % p.n1; rest /= p.n1; source += c * p.s1; to += c * p.d1; }
  to += rest * p.d0;
  let word = src[source + rest * p.s0];
  if (ADD) {
    dst[to] = Target(bitcast<u32>(bitcast<f32>(u32(dst[to])) + bitcast<f32>(u32(word))));
  } else {
    dst[to] = Target(word);
  }
}
