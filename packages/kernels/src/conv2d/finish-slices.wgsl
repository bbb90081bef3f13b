// Second pass of a convolution whose K is split: sums the slices and ends with the epilogue of gather-subgroup.wgsl.
//
//   y[i] = activation(normalise(bias[c] + sum over s of partial[s, i], in the order of s) + residual[i]), c = i % C
//
// partial [slices, pixels, C], y and residual [pixels, C], channels last, as vec4. A thread owns four channels.
const WG: u32 = 64u;
const HAS_BIAS: bool = false;
const HAS_NORM: bool = false;
const HAS_RESIDUAL: bool = false;
const ACTIVATION: u32 = 0u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Residual = vec4f;
alias Y = vec4f;

struct Params { count: u32, slices: u32, channels: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<Residual>;
@group(0) @binding(4) var<storage, read_write> y: array<Y>;

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
  let channel = id * 4u % p.channels + vec4u(0u, 1u, 2u, 3u);
  var sum = vec4f();
  for (var s = 0u; s < p.slices; s++) { sum += partial[s * p.count + id]; }
  if (HAS_BIAS) { sum += vec4f(bias[channel.x], bias[channel.y], bias[channel.z], bias[channel.w]); }
  var norm: mat3x4f;
  if (HAS_NORM) { norm = normOf(channel, p.channels); }
  y[id] = Y(finish(sum, norm, vec4f(residual[id])));
}
