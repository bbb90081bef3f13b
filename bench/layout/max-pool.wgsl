// Max-pool 2x2, stride 2, in either memory layout: y[o, r, q] = max of x[o, 2r..2r+1, 2q..2q+1]; H and W are even.
//
// A thread owns one output (scalar), four channels of one (NHWC, VEC: four vec4 loads), or two neighbours of a row of
// one channel (NCHW, VEC: two vec4 loads, W a multiple of 4).
const NHWC: bool = false;
const VEC: bool = false;
const WG: u32 = 64u;

struct Params { H: u32, W: u32, C: u32, count: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> y4: array<vec4f>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.x;
  if (t >= p.count) { return; }
  if (NHWC) {
    let lanes = select(p.C, p.C / 4u, VEC);
    let c = t % lanes;
    let q = t / lanes % (p.W / 2u);
    let r = t / lanes / (p.W / 2u);
    let a = (2u * r * p.W + 2u * q) * lanes + c;
    let b = a + p.W * lanes;
    if (VEC) {
      y4[t] = max(max(x4[a], x4[a + lanes]), max(x4[b], x4[b + lanes]));
    } else {
      y[t] = max(max(x[a], x[a + lanes]), max(x[b], x[b + lanes]));
    }
  } else if (VEC) {
    let quads = p.W / 4u;
    let a = t / quads * 2u * quads + t % quads;
    let m = max(x4[a], x4[a + quads]);
    y[2u * t] = max(m.x, m.y);
    y[2u * t + 1u] = max(m.z, m.w);
  } else {
    let a = t / (p.W / 2u) * 2u * p.W + t % (p.W / 2u) * 2u;
    y[t] = max(max(x[a], x[a + 1u]), max(x[a + p.W], x[a + p.W + 1u]));
  }
}
