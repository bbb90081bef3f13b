// Gradient of max pooling, as a gather.
//
//   dx[n, iy, ix, c] = sum over pooling windows (oy, ox) whose tap t is (iy, ix)  of  dy[n, oy, ox, c] where index = t
//
// dx [N, H, W, C], dy and index [N, OH, OW, C], channels last; each may be a part that begins at its origin. A thread
// owns R adjacent inputs of a row in one channel, or in four (VEC: the vec4 bindings are used, and all counts of
// elements are in vec4), so that divisions are paid for once. It adds the pooling windows in one fixed order.
const WG: u32 = 64u;
const R: u32 = 8u;
const VEC: bool = false;
const KERNEL_H: u32 = 2u;
const KERNEL_W: u32 = 2u;
const STRIDE_H: u32 = 2u;
const STRIDE_W: u32 = 2u;
const DILATION_H: u32 = 1u;
const DILATION_W: u32 = 1u;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias Dy = f32;
alias Dy4 = vec4f;
alias Dx = f32;
alias Dx4 = vec4f;

struct Params {
  count: u32, lineBegin: u32, lineTiles: u32, fromOrigin: u32, toOrigin: u32, channels: u32,
  inH: u32, inW: u32, outH: u32, outW: u32,
  padH: u32, padW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<Dy>;
@group(0) @binding(2) var<storage, read> dy4: array<Dy4>;
@group(0) @binding(3) var<storage, read> index: array<i32>;
@group(0) @binding(4) var<storage, read> index4: array<vec4i>;
@group(0) @binding(5) var<storage, read_write> dx: array<Dx>;
@group(0) @binding(6) var<storage, read_write> dx4: array<Dx4>;

// Pooling windows along an axis that may hold a position.
const WINDOWS_H: u32 = (KERNEL_H - 1u) * DILATION_H / STRIDE_H + 1u;
const WINDOWS_W: u32 = (KERNEL_W - 1u) * DILATION_W / STRIDE_W + 1u;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let tile = id / p.channels;
  let line = p.lineBegin + tile / p.lineTiles;
  let firstX = tile % p.lineTiles * R;
  let py = line % p.inH + p.padH;
  let image = line / p.inH * p.outH;
  for (var i = 0u; i < R; i++) {
    let ix = firstX + i;
    if (ix >= p.inW) { break; }
    let px = ix + p.padW;
    var sum = 0.0;
    var sum4 = vec4f();
    for (var wy = 0u; wy < WINDOWS_H; wy++) {
      // Below 0 it wraps and is past the last.
      let oy = py / STRIDE_H - (WINDOWS_H - 1u - wy);
      let offsetY = py - oy * STRIDE_H;
      let isRow = oy < p.outH && offsetY <= (KERNEL_H - 1u) * DILATION_H && offsetY % DILATION_H == 0u;
      let row = (image + oy) * p.outW;
      for (var wx = 0u; wx < WINDOWS_W; wx++) {
        let ox = px / STRIDE_W - (WINDOWS_W - 1u - wx);
        let offsetX = px - ox * STRIDE_W;
        let isColumn = ox < p.outW && offsetX <= (KERNEL_W - 1u) * DILATION_W && offsetX % DILATION_W == 0u;
        let inside = isRow && isColumn;
        let tap = select(-2, i32(offsetY / DILATION_H * KERNEL_W + offsetX / DILATION_W), inside);
        let at = select(0u, (row + ox) * p.channels + c - p.fromOrigin, inside);
        if (VEC) {
          sum4 += select(vec4f(), vec4f(dy4[at]), index4[at] == vec4i(tap));
        } else {
          sum += select(0.0, f32(dy[at]), index[at] == tap);
        }
      }
    }
    let to = (line * p.inW + ix) * p.channels + c - p.toOrigin;
    if (VEC) { dx4[to] = Dx4(sum4); } else { dx[to] = Dx(sum); }
  }
}
