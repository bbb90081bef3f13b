// Softmax cross-entropy with integer labels, first pass.
//
//   lse[i] = log(sum over c of exp(x[i, c]))      loss[i] = w[target[i]] * (lse[i] - x[i, target[i]]), 0 where ignored
//
// x [pixels, C], channels last; labels, lse [pixels]; weight [C]. y receives partial[t] = (sum of loss, sum of w) over
// the pixels t, t + threads, ..., or with EACH the loss of each pixel. Operands may be parts for the pixels
// from p.begin on: the first logit is element p.firstLogit of x, the first pixel is element p.firstPixel of the
// others, and the partial sums start at p.base out of p.total. A thread owns every p.threads-th pixel.
//
// A row of x is read in aligned vectors of four with the components of other rows masked, so that vectors serve any C.
// The sum of exponentials is rescaled when a vector brings a larger maximum. The error of a sum grows with the number
// of consecutive terms, so RUN terms are added, then those sums, and so on. A label outside [0, C) gives NaN and a
// report in the fault record.
const WG: u32 = 64u;
const RUN: u32 = 32u;
const EACH: bool = false;
const WEIGHTED: bool = false;
const LOWEST: f32 = -3.4028234e38;
const FAULT_LABEL: u32 = 1u;

struct Params {
  threads: u32,
  pixels: u32,
  classes: u32,
  ignoreIndex: i32,
  nanBits: u32,
  firstLogit: u32,
  firstPixel: u32,
  begin: u32,
  base: u32,
  total: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> fault: array<atomic<u32>, 4>;

fn largest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn logSumExp(begin: u32) -> f32 {
  let end = begin + p.classes;
  var top = LOWEST;
  var sum = 0.0;
  var high = 0.0;
  for (var q = begin / 4u; q * 4u < end; q++) {
    let at = q * 4u + vec4u(0u, 1u, 2u, 3u);
    let inside = (at >= vec4u(begin)) & (at < vec4u(end));
    let v = select(vec4f(LOWEST), x[q], inside);
    let higher = max(top, largest(v));
    let e = select(vec4f(), exp(v - higher), inside);
    let scale = exp(top - higher);
    sum = sum * scale + ((e.x + e.y) + (e.z + e.w));
    high *= scale;
    top = higher;
    if (q % RUN == 0u) {
      high += sum;
      sum = 0.0;
    }
  }
  return top + log(high + sum);
}

fn report(label: i32, index: u32) {
  if (atomicCompareExchangeWeak(&fault[0], 0u, FAULT_LABEL).exchanged) {
    atomicStore(&fault[1], bitcast<u32>(label));
    atomicStore(&fault[2], p.begin + index);
    atomicStore(&fault[3], p.classes);
  }
}

// Loss and weight of one pixel.
fn terms(index: u32) -> vec2f {
  let pixel = p.firstPixel + index;
  let label = labels[pixel];
  let begin = p.firstLogit + index * p.classes;
  let total = logSumExp(begin);
  lse[pixel] = total;
  if (label == p.ignoreIndex) { return vec2f(); }
  if (label < 0 || label >= i32(p.classes)) {
    report(label, index);
    return vec2f(bitcast<f32>(p.nanBits));
  }
  var w = 1.0;
  if (WEIGHTED) { w = weight[label]; }
  let at = begin + u32(label);
  return vec2f(w * (total - x[at / 4u][at % 4u]), w);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.threads) { return; }
  var sum = vec2f();
  var middle = vec2f();
  var high = vec2f();
  var taken = 0u;
  for (var index = id; index < p.pixels; index += p.threads) {
    let term = terms(index);
    if (EACH) {
      y[p.firstPixel + index] = term.x;
      continue;
    }
    sum += term;
    taken++;
    if (taken % RUN == 0u) {
      middle += sum;
      sum = vec2f();
      if (taken % (RUN * RUN) == 0u) {
        high += middle;
        middle = vec2f();
      }
    }
  }
  if (!EACH) {
    sum = high + (middle + sum);
    y[p.base + id] = sum.x;
    y[p.total + p.base + id] = sum.y;
  }
}
