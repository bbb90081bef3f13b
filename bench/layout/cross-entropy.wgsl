// Cross-entropy of every pixel, in either memory layout: y[p] = log(sum over c of exp(x[p, c] - top)) + top - x[p,
// label[p]].
//
// A thread owns one pixel, or (VEC) four neighbours, whose 4*C logits are C vec4 in both layouts: in NCHW one for each
// channel, in NHWC one run that starts on a vec4 boundary.
const NHWC: bool = false;
const VEC: bool = false;
const C: u32 = 21u;
const WG: u32 = 64u;

struct Params { pixels: u32, count: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> label: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;


@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let t = id.x;
  if (t >= p.count) { return; }
  if (!VEC) {
    var logit: array<f32, C>;
    var top = -3.4e38;
    for (var c = 0u; c < C; c++) {
      logit[c] = x[select(c * p.pixels + t, t * C + c, NHWC)];
      top = max(top, logit[c]);
    }
    var sum = 0.0;
    var picked = 0.0;
    for (var c = 0u; c < C; c++) {
      sum += exp(logit[c] - top);
      picked = select(picked, logit[c], c == label[t]);
    }
    y[t] = log(sum) + top - picked;
  } else if (NHWC) {
    var logit: array<vec4f, C>;
    for (var c = 0u; c < C; c++) { logit[c] = x4[t * C + c]; }
    for (var i = 0u; i < 4u; i++) {
      var top = -3.4e38;
      for (var c = 0u; c < C; c++) { top = max(top, logit[(i * C + c) / 4u][(i * C + c) % 4u]); }
      var sum = 0.0;
      var picked = 0.0;
      for (var c = 0u; c < C; c++) {
        let value = logit[(i * C + c) / 4u][(i * C + c) % 4u];
        sum += exp(value - top);
        picked = select(picked, value, c == label[4u * t + i]);
      }
      y[4u * t + i] = log(sum) + top - picked;
    }
  } else {
    var logit: array<vec4f, C>;
    var top = vec4f(-3.4e38);
    for (var c = 0u; c < C; c++) {
      logit[c] = x4[(c * p.pixels) / 4u + t];
      top = max(top, logit[c]);
    }
    let wanted = vec4u(label[4u * t], label[4u * t + 1u], label[4u * t + 2u], label[4u * t + 3u]);
    var sum = vec4f();
    var picked = vec4f();
    for (var c = 0u; c < C; c++) {
      sum += exp(logit[c] - top);
      picked = select(picked, logit[c], vec4u(c) == wanted);
    }
    let loss = log(sum) + top - picked;
    for (var i = 0u; i < 4u; i++) { y[4u * t + i] = loss[i]; }
  }
}
