// Winograd's minimal filtering, first half: patches of an image into the domain where a 3x3 convolution is a product.
//
//   v[tile, e, c] = (L d L^T)[e]    with d the patch of x in channel c that belongs to the tile
//
// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, F(SIZE x SIZE, 3x3): a tile is SIZE x SIZE
// outputs, which read a patch of SIDE x SIDE of x that begins at the padding, and L is their B^T. With ADJOINT the
// patch is the tile of dy itself and L is their A, which is what the weight gradient needs.
//
// x [N, H, W, C] and v [tiles, SIDE*SIDE, C], channels last, as vec4. Pixels outside the image count as 0. A thread
// owns a tile in four channels.
const WG: u32 = 64u;
const SIZE: u32 = 4u;
const ADJOINT: bool = false;

// Types of elements as they lie in memory, where they may be halves: the loader then makes them f16 and vec4h.
alias X = vec4f;

struct Params {
  count: u32, tileBegin: u32, tilesH: u32, tilesW: u32, channels: u32,
  inH: u32, inW: u32, padH: u32, padW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<X>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;

const SIDE: u32 = SIZE + 2u;
const PATCH: u32 = select(SIDE, SIZE, ADJOINT);

// L times a column of up to six.
fn transformPatch(d: array<vec4f, 6>) -> array<vec4f, 6> {
  if (ADJOINT) {
    if (SIZE == 2u) { return array(d[0], d[0] + d[1], d[0] - d[1], -d[1], vec4f(), vec4f()); }
    let even = d[0] + d[2];
    let odd = d[1] + d[3];
    let even2 = d[0] + 4.0 * d[2];
    let odd2 = 2.0 * d[1] + 8.0 * d[3];
    return array(d[0], even + odd, even - odd, even2 + odd2, even2 - odd2, d[3]);
  }
  if (SIZE == 2u) { return array(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3], vec4f(), vec4f()); }
  let even = d[4] - 4.0 * d[2];
  let odd = d[3] - 4.0 * d[1];
  let even2 = d[4] - d[2];
  let odd2 = 2.0 * (d[3] - d[1]);
  return array(4.0 * d[0] - 5.0 * d[2] + d[4], even + odd, even - odd, even2 + odd2, even2 - odd2,
               4.0 * d[1] - 5.0 * d[3] + d[5]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let tile = p.tileBegin + id / p.channels;
  let line = tile / p.tilesW;
  let top = i32(line % p.tilesH * SIZE) - i32(p.padH);
  let left = i32(tile % p.tilesW * SIZE) - i32(p.padW);
  let image = line / p.tilesH * p.inH;

  // L times the columns of the patch, and then its rows.
  var half: array<array<vec4f, 6>, 6>;
  for (var j = 0u; j < PATCH; j++) {
    let ix = left + i32(j);
    var column: array<vec4f, 6>;
    for (var i = 0u; i < PATCH; i++) {
      let iy = top + i32(i);
      let inside = u32(iy) < p.inH && u32(ix) < p.inW;
      let at = ((image + u32(iy)) * p.inW + u32(ix)) * p.channels + c;
      column[i] = select(vec4f(), vec4f(x[select(0u, at, inside)]), inside);
    }
    half[j] = transformPatch(column);
  }
  let to = id / p.channels * SIDE * SIDE * p.channels + c;
  for (var i = 0u; i < SIDE; i++) {
    let row = transformPatch(array(half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]));
    for (var j = 0u; j < SIDE; j++) { v[to + (i * SIDE + j) * p.channels] = row[j]; }
  }
}
