// Rows of a canvas, from pixels or from planes of floats.
//
//   y[r * pitch + c] = the pixel of row r and column c, its colours multiplied by its opacity (premultiplied alpha)
//
// A pixel is a word of four bytes: red lowest, then green, blue and opacity; with SWAPPED, y has blue lowest. With
// CHANNELS = 0, x0 [rows, width] holds such words with straight colours. Otherwise x0, x1 and x2 [rows, width] hold
// floats from 0 to 1 for red, green and blue, or with CHANNELS = 1 x0 alone for all three, and pixels are opaque;
// values beyond are clipped, NaN is 0, fractions are rounded. The first element of each lies at p.first0, p.first1 and
// p.first2 of what is bound. y [rows, pitch]; its columns from width on stay as they are. A thread owns a pixel.
const WG: u32 = 64u;
const CHANNELS: u32 = 3u;
const SWAPPED: bool = false;

struct Params {
  count: u32,
  width: u32,
  pitch: u32,
  first0: u32,
  first1: u32,
  first2: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x0: array<u32>;
@group(0) @binding(2) var<storage, read> x1: array<u32>;
@group(0) @binding(3) var<storage, read> x2: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;

fn byte(word: u32) -> u32 {
  let value = bitcast<f32>(word);
  return select(0u, u32(clamp(value, 0.0, 1.0) * 255.0 + 0.5), value > 0.0);
}

fn colour(i: u32) -> vec4u {
  if (CHANNELS == 0u) {
    let straight = (vec4u(x0[p.first0 + i]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
    return vec4u((straight.rgb * straight.a * 2u + 255u) / 510u, straight.a);
  }
  let red = byte(x0[p.first0 + i]);
  if (CHANNELS == 1u) { return vec4u(red, red, red, 255u); }
  return vec4u(red, byte(x1[p.first1 + i]), byte(x2[p.first2 + i]), 255u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + group.y * groups.x) * WG + local;
  if (i >= p.count) { return; }
  var own = colour(i);
  if (SWAPPED) { own = own.bgra; }
  let placed = own << vec4u(0u, 8u, 16u, 24u);
  y[i / p.width * p.pitch + i % p.width] = placed.x | placed.y | placed.z | placed.w;
}
