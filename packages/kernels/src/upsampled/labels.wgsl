// The class of each pixel of bilinearly upsampled scores, of which no map of full size is made.
//
//   v[i, c] = sum over cells (y, x) of  tent(atY(i) - y) * tent(atX(i) - x) * scores[y, x, c]
//   tent(d) = max(0, 1 - |d|)
//   label[i] = the first c with the largest v[i, c]; NaN is larger than any number, as in PyTorch
//
// Where output o of an axis lies among the cells: at(o) = (o + before) * scale - after, with CLAMPED no further out
// than the first and the last cell. Otherwise scores fade to 0 beyond them, as under a transposed convolution.
// scores [N, H, W, C], channels last; labels [N, OH, OW]. A thread owns four neighbouring pixels of a row, which read
// two rows and at most COLUMNS columns of cells. Cells that do not exist have weight 0 and are read at the edge.
const WG: u32 = 64u;
const COLUMNS: u32 = 3u;
const CLAMPED: bool = false;

struct Params {
  count: u32, runsPerRow: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  scaleH: f32, scaleW: f32, // cells for each output step
  beforeH: f32, beforeW: f32, after: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> scores: array<f32>;
@group(0) @binding(2) var<storage, read_write> labels: array<i32>;

// Where outputs lie among the cells. All kernels of this folder must agree.
fn placesOf(o: vec4f, before: f32, scale: f32, size: u32) -> vec4f {
  let room = select(1.0, 0.0, CLAMPED);
  return clamp(fma(o + before, vec4f(scale), vec4f(-p.after)), vec4f(-room), vec4f(f32(size) - 1.0 + room));
}

fn areNan(v: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let run = (group.x + group.y * groups.x) * WG + local;
  if (run >= p.count) { return; }
  let row = run / p.runsPerRow;
  let first = run % p.runsPerRow * 4u;
  let atY = placesOf(vec4f(f32(row % p.outH)), p.beforeH, p.scaleH, p.inH).x;
  let low = floor(atY);
  let y = i32(low);
  let upper = select(0.0, 1.0 - (atY - low), y >= 0 && y < i32(p.inH));
  let lower = select(0.0, atY - low, y + 1 < i32(p.inH));
  let image = row / p.outH * p.inH;
  let upperRow = (image + u32(clamp(y, 0, i32(p.inH) - 1))) * p.inW;
  let lowerRow = (image + u32(clamp(y + 1, 0, i32(p.inH) - 1))) * p.inW;
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

  var best = vec4f();
  var index = vec4i();
  for (var c = 0u; c < p.channels; c++) {
    var v = vec4f();
    for (var k = 0u; k < COLUMNS; k++) {
      v = fma(share[k], vec4f(fma(lower, scores[below[k] + c], upper * scores[above[k] + c])), v);
    }
    let better = (v > best) | (areNan(v) & !areNan(best)) | vec4<bool>(c == 0u);
    best = select(best, v, better);
    index = select(index, vec4i(i32(c)), better);
  }
  let begin = row * p.outW + first;
  for (var i = 0u; i < 4u; i++) {
    if (first + i < p.outW) { labels[begin + i] = index[i]; }
  }
}
