// Softmax cross-entropy, second pass.
//
//   y = sum of losses, with MEAN divided by divisor = sum of weights
//
// The divisor is kept for the gradient. The mean over no pixels is NaN, as in PyTorch. partial [2, threads], y and
// divisor [1]. There is one workgroup. Each thread adds its share of the partial sums, RUN at a time and then those
// sums, and the first thread adds the shares in pairs, because the error of a sum grows with the number of consecutive
// terms.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const MEAN: bool = true;

struct Params {
  threads: u32,
  nanBits: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> divisor: array<f32>;

var<workgroup> share: array<vec2f, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) local: u32) {
  var sum = vec2f();
  for (var first = local; first < p.threads; first += RUN * WG) {
    var run = vec2f();
    for (var t = first; t < min(p.threads, first + RUN * WG); t += WG) {
      run += vec2f(partial[t], partial[p.threads + t]);
    }
    sum += run;
  }
  share[local] = sum;
  workgroupBarrier();
  if (local > 0u) { return; }
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    for (var t = 0u; t < half; t++) { share[t] += share[t + half]; }
  }
  sum = share[0];
  divisor[0] = sum.y;
  if (!MEAN) {
    y[0] = sum.x;
  } else if (sum.y == 0.0) {
    y[0] = bitcast<f32>(p.nanBits);
  } else {
    y[0] = sum.x / sum.y;
  }
}
