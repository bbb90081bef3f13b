// Counter-based random numbers: Philox 4x32 with 10 rounds (Salmon et al. 2011). Element i of a stream depends on the
// seed, the stream and i alone, so that the backward pass can repeat the mask of dropout.
//
//   MODE 0  y[i] = uniform in [a, b)            24 bits
//   MODE 1  y[i] = normal(mean a, deviation b)  Box-Muller
//   MODE 2  y[i] = x[i] * keep(i / period)      dropout: keep is 0 with probability a, else 1 / (1 - a); a dropped NaN
//                                               or infinity gives NaN
// With period > 1, MODE 2 drops whole channels of a channels-last tensor together: the mask of element i is number (i /
// (period*channels))*channels + i % channels. y and x may be parts whose first element is number p.base. A thread
// owns four consecutive elements.
const WG: u32 = 64u;
const MODE: u32 = 0u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = f32;
alias Y = f32;

struct Params {
  count: u32, base: u32, seedLow: u32, seedHigh: u32, stream: u32, a: f32, b: f32, period: u32, channels: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> y: array<Y>;

fn multiplyHigh(a: u32, b: u32) -> u32 {
  let al = a & 0xffffu;
  let ah = a >> 16u;
  let bl = b & 0xffffu;
  let bh = b >> 16u;
  let middle = ah * bl + ((al * bl) >> 16u);
  let carry = (middle & 0xffffu) + al * bh;
  return ah * bh + (middle >> 16u) + (carry >> 16u);
}

fn philox(block: u32) -> vec4u {
  var c = vec4u(block, p.stream, 0u, 0u);
  var key = vec2u(p.seedLow, p.seedHigh);
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(multiplyHigh(0xCD9E8D57u, c.z) ^ c.y ^ key.x, 0xCD9E8D57u * c.z,
              multiplyHigh(0xD2511F53u, c.x) ^ c.w ^ key.y, 0xD2511F53u * c.x);
    key += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

fn uniformOf(bits: vec4u) -> vec4f {
  return vec4f(bits >> vec4u(8u)) * (1.0 / 16777216.0);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let first = ((group.x + group.y * groups.x) * WG + local) * 4u;
  if (first >= p.count) { return; }
  let u = uniformOf(philox((p.base + first) / 4u));
  var normal: vec4f;
  if (MODE == 1u) {
    let r1 = sqrt(-2.0 * log(1.0 - u.x));
    let r2 = sqrt(-2.0 * log(1.0 - u.z));
    let t1 = 6.283185307179586 * u.y;
    let t2 = 6.283185307179586 * u.w;
    normal = vec4f(r1 * cos(t1), r1 * sin(t1), r2 * cos(t2), r2 * sin(t2));
  }
  for (var j = 0u; j < 4u; j++) {
    let i = first + j;
    if (i >= p.count) { return; }
    if (MODE == 0u) { y[i] = Y(p.a + (p.b - p.a) * u[j]); }
    if (MODE == 1u) { y[i] = Y(p.a + p.b * normal[j]); }
    if (MODE == 2u) {
      var chance = u[j];
      if (p.period > 1u) {
        let at = p.base + i;
        let cell = at / (p.period * p.channels) * p.channels + at % p.channels;
        chance = uniformOf(philox(cell / 4u))[cell % 4u];
      }
      // 0 times infinity is NaN, whose bits are those of infinity with one more set.
      let value = f32(x[i]);
      let bits = bitcast<u32>(value);
      let dropped = select(0u, bits | 0x00400000u, (bits & 0x7f800000u) == 0x7f800000u);
      y[i] = Y(select(bitcast<f32>(dropped), value / (1.0 - p.a), chance >= p.a));
    }
  }
}
