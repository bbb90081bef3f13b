// Begins a step of torch.amp.GradScaler for one optimiser: writes the record that the step goes by.
//
//   record[0] = (factor on the gradients in the optimiser's kernel, 0, 1 / scale, 0)
//
// The factor is 1 / scale, or 1 with isUnscaled, where the gradients themselves are divided. The second place is for
// scaler-check.wgsl, which puts 1 there if a gradient is not finite. One thread does it all.
//
// WGSL allows a quotient an error of 2.5 ulp. One step of Newton's method corrects it, so that the factor of a scale
// that is a power of two is exact.
struct Params { isUnscaled: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read_write> record: array<vec4f>;

@compute @workgroup_size(1)
fn main() {
  let near = 1.0 / scale[0];
  let inverse = near + near * fma(-scale[0], near, 1.0);
  record[0] = vec4f(select(inverse, 1.0, p.isUnscaled != 0u), 0.0, inverse, 0.0);
}
