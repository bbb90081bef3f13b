// Softmax cross-entropy of bilinearly upsampled scores, of which no map of full size is made: first pass.
//
//   v[i, c] = the upsampled scores, see labels.wgsl
//   lse[i] = log(sum over c of exp(v[i, c]))      loss[i] = w[target[i]] * (lse[i] - v[i, target[i]]), 0 where ignored
//
// scores [N, H, W, C], channels last; labels, lse [N, OH, OW]; weight [C]. y receives partial[t] = (sum of loss, sum of
// w) over the runs t, t + threads, ... of four neighbouring pixels of a row, or with EACH the loss of each pixel. A
// thread owns every p.threads-th run. The error of a sum grows with the number of consecutive terms, so RUN terms are
// added, then those sums. A label outside [0, C) gives NaN and a report in the fault record.
// Each lane holds much: where subgroups may be small, more registers are left for it.
const FEWEST_LANES: bool = true;
const WG: u32 = 64u;
const RUN: u32 = 32u;
const COLUMNS: u32 = 3u;
const CLAMPED: bool = false;
const EACH: bool = false;
const WEIGHTED: bool = false;
const LOWEST: f32 = -3.4028234e38;
const FAULT_LABEL: u32 = 1u;

struct Params {
  threads: u32, runs: u32, runsPerRow: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  scaleH: f32, scaleW: f32, // cells for each output step
  beforeH: f32, beforeW: f32, after: f32,
  ignoreIndex: i32,
  nanBits: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<i32>;
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read_write> lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> y: array<f32>;
@group(0) @binding(6) var<storage, read_write> fault: array<atomic<u32>, 4>;

// Where outputs lie among the cells. All kernels of this folder must agree.
fn placesOf(o: vec4f, before: f32, scale: f32, size: u32) -> vec4f {
  let room = select(1.0, 0.0, CLAMPED);
  return clamp(fma(o + before, vec4f(scale), vec4f(-p.after)), vec4f(-room), vec4f(f32(size) - 1.0 + room));
}

fn reportLabel(label: i32, pixel: u32) {
  if (atomicCompareExchangeWeak(&fault[0], 0u, FAULT_LABEL).exchanged) {
    atomicStore(&fault[1], bitcast<u32>(label));
    atomicStore(&fault[2], pixel);
    atomicStore(&fault[3], p.channels);
  }
}

// Loss and weight of one pixel, given the logarithm of its sum and the score of its label.
fn termsOf(label: i32, pixel: u32, total: f32, own: f32) -> vec2f {
  if (label == p.ignoreIndex) { return vec2f(); }
  if (label < 0 || label >= i32(p.channels)) {
    reportLabel(label, pixel);
    return vec2f(bitcast<f32>(p.nanBits));
  }
  var w = 1.0;
  if (WEIGHTED) { w = weight[label]; }
  return vec2f(w * (total - own), w);
}

// Loss and weight of four pixels.
fn termsOfRun(run: u32) -> vec2f {
  let row = run / p.runsPerRow;
  let first = run % p.runsPerRow * 4u;
  let atY = placesOf(vec4f(f32(row % p.outH)), p.beforeH, p.scaleH, p.inH).x;
  let low = floor(atY);
  let top = i32(low);
  let upper = select(0.0, 1.0 - (atY - low), top >= 0 && top < i32(p.inH));
  let lower = select(0.0, atY - low, top + 1 < i32(p.inH));
  let image = row / p.outH * p.inH;
  let upperRow = (image + u32(clamp(top, 0, i32(p.inH) - 1))) * p.inW;
  let lowerRow = (image + u32(clamp(top + 1, 0, i32(p.inH) - 1))) * p.inW;
  let at = placesOf(vec4f(f32(first)) + vec4f(0.0, 1.0, 2.0, 3.0), p.beforeW, p.scaleW, p.inW);
  let left = i32(floor(at.x));
  var share: array<vec4f, COLUMNS>;
  var above: array<u32, COLUMNS>;
  var below: array<u32, COLUMNS>;
  for (var k = 0u; k < COLUMNS; k++) {
    let x = left + i32(k);
    let inside = x >= 0 && x < i32(p.inW);
    share[k] = select(vec4f(), max(vec4f(), 1.0 - abs(at - f32(x))), inside);
    let column = u32(clamp(x, 0, i32(p.inW) - 1));
    above[k] = (upperRow + column) * p.channels;
    below[k] = (lowerRow + column) * p.channels;
  }
  let begin = row * p.outW + first;
  let count = min(4u, p.outW - first);
  var label = vec4i();
  for (var i = 0u; i < count; i++) { label[i] = labels[begin + i]; }

  var most = vec4f(LOWEST);
  var sum = vec4f();
  var own = vec4f();
  for (var c = 0u; c < p.channels; c++) {
    var v = vec4f();
    for (var k = 0u; k < COLUMNS; k++) {
      v = fma(share[k], vec4f(fma(lower, scores[below[k] + c], upper * scores[above[k] + c])), v);
    }
    // One exponential a class: the sum is rescaled where the maximum rises.
    let e = exp(-abs(v - most));
    sum = select(sum + e, sum * e + 1.0, v > most);
    most = max(most, v);
    own = select(own, v, label == vec4i(i32(c)));
  }
  let total = most + log(sum);
  var terms = vec2f();
  for (var i = 0u; i < count; i++) {
    lse[begin + i] = total[i];
    let term = termsOf(label[i], begin + i, total[i], own[i]);
    if (EACH) { y[begin + i] = term.x; }
    terms += term;
  }
  return terms;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.threads) { return; }
  var sum = vec2f();
  var high = vec2f();
  var taken = 0u;
  for (var run = id; run < p.runs; run += p.threads) {
    sum += termsOfRun(run);
    taken++;
    if (taken % RUN == 0u) {
      high += sum;
      sum = vec2f();
    }
  }
  if (EACH) { return; }
  sum += high;
  y[id] = sum.x;
  y[p.threads + id] = sum.y;
}
