// Winograd's minimal filtering, second half: products back to outputs.
//
//   y[tile, c] = A^T m[tile, :, c] A, and then bias and epilogue as in gather-subgroup.wgsl
//
// Lavin and Gray, F(SIZE x SIZE, 3x3): m holds SIDE x SIDE sums for each tile of SIZE x SIZE outputs.
//
// m [tiles, SIDE*SIDE, C], y and residual [N, H, W, C], channels last, as vec4. A thread owns a tile in four channels,
// and stores what of it lies inside the image.
const WG: u32 = 64u;
const SIZE: u32 = 4u;
// Without it the ends of the loops are parameters, so that no compiler unrolls them.
const UNROLLED: bool = true;
const HAS_BIAS: bool = false;
const HAS_NORM: bool = false;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Residual = vec4f;
alias Y = vec4f;

struct Params {
  count: u32, tileBegin: u32, tilesH: u32, tilesW: u32, channels: u32, outH: u32, outW: u32,
  size: u32, side: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> m: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<Residual>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;

const SIDE: u32 = SIZE + 2u;

// A^T times a column of up to six.
fn transformSums(d: array<vec4f, 6>) -> array<vec4f, 4> {
  if (SIZE == 2u) { return array(d[0] + d[1] + d[2], d[1] - d[2] - d[3], vec4f(), vec4f()); }
  let sum = d[1] + d[2];
  let difference = d[1] - d[2];
  let sum2 = d[3] + d[4];
  let difference2 = d[3] - d[4];
  return array(d[0] + sum + sum2, difference + 2.0 * difference2, sum + 4.0 * sum2,
               difference + 8.0 * difference2 + d[5]);
}

// Mean, scale and shift of four channels: rows of `length` that follow the bias.
fn normOf(channel: vec4u, length: u32) -> mat3x4f {
  let mean = channel + length;
  let scale = mean + length;
  let shift = scale + length;
  return mat3x4f(vec4f(bias[mean.x], bias[mean.y], bias[mean.z], bias[mean.w]),
                 vec4f(bias[scale.x], bias[scale.y], bias[scale.z], bias[scale.w]),
                 vec4f(bias[shift.x], bias[shift.y], bias[shift.z], bias[shift.w]));
}

// The epilogue of four channels.
fn finish(sum: vec4f, norm: mat3x4f, more: vec4f) -> vec4f {
  var value = sum;
  if (HAS_NORM) { value = (value - norm[0]) * norm[1] + norm[2]; }
  if (HAS_RESIDUAL) { value += more; }
  return activate(value);
}

// max(v, 0), or with ACTIVATION 2 min(max(v, 0), 6). NaN stays NaN.
fn activate(v: vec4f) -> vec4f {
  let isNan = (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  if (ACTIVATION == 1u) { return select(max(v, vec4f()), v, isNan); }
  if (ACTIVATION == 2u) { return select(clamp(v, vec4f(), vec4f(6.0)), v, isNan); }
  return v;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let tile = p.tileBegin + id / p.channels;
  let line = tile / p.tilesW;
  let top = line % p.tilesH * SIZE;
  let left = tile % p.tilesW * SIZE;

  let at = id / p.channels * SIDE * SIDE * p.channels + c;
  let size = select(p.size, SIZE, UNROLLED);
  let side = select(p.side, SIDE, UNROLLED);
  var half: array<array<vec4f, 4>, 6>;
  for (var j = 0u; j < side; j++) {
    var column: array<vec4f, 6>;
    for (var i = 0u; i < SIDE; i++) { column[i] = m[at + (i * SIDE + j) * p.channels]; }
    half[j] = transformSums(column);
  }
  let channel = c * 4u + vec4u(0u, 1u, 2u, 3u);
  var shift = vec4f();
  if (HAS_BIAS) { shift = vec4f(bias[channel.x], bias[channel.y], bias[channel.z], bias[channel.w]); }
  var norm: mat3x4f;
  if (HAS_NORM) { norm = normOf(channel, p.channels * 4u); }
  for (var i = 0u; i < size; i++) {
    let row = transformSums(array(half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]));
    for (var j = 0u; j < SIZE; j++) {
      if (top + i < p.outH && left + j < p.outW) {
        let to = ((line / p.tilesH * p.outH + top + i) * p.outW + left + j) * p.channels + c;
        y[to] = Y(finish(row[j] + shift, norm, vec4f(residual[to])));
      }
    }
  }
}
