// Winograd's minimal filtering of weights, and its adjoint.
//
//   u[r, e, c] = (G w[:, r, c] G^T)[e]        ADJOINT:  w[:, r, c] = G^T u[r, :, c] G
//
// Lavin and Gray, F(SIZE x SIZE, 3x3): nine taps become SIDE x SIDE factors. With FLIPPED the rows r are the weight's
// columns, its taps in reverse order: the weight of the convolution that is the input gradient.
//
// w [9, rows, columns] or with FLIPPED [9, columns, rows]; u [rows, SIDE*SIDE, columns]. A thread owns four columns of
// a row.
const WG: u32 = 64u;
const SIZE: u32 = 4u;
// Without it the ends of the loops are parameters, so that no compiler unrolls them.
const UNROLLED: bool = true;
const ADJOINT: bool = false;
const FLIPPED: bool = false;

struct Params { count: u32, rows: u32, columns: u32, taps: u32, side: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> w: array<f32>;
@group(0) @binding(2) var<storage, read_write> u: array<vec4f>;

const SIDE: u32 = SIZE + 2u;

// G times a column of three.
fn spread(g: array<vec4f, 3>) -> array<vec4f, 6> {
  if (SIZE == 2u) {
    let even = 0.5 * (g[0] + g[2]);
    let odd = 0.5 * g[1];
    return array(g[0], even + odd, even - odd, g[2], vec4f(), vec4f());
  }
  let even = (g[0] + g[2]) / -6.0;
  let odd = g[1] / -6.0;
  let even2 = g[0] / 24.0 + g[2] / 6.0;
  let odd2 = g[1] / 12.0;
  return array(g[0] / 4.0, even + odd, even - odd, even2 + odd2, even2 - odd2, g[2]);
}

// G^T times a column of up to six.
fn gather(d: array<vec4f, 6>) -> array<vec4f, 3> {
  if (SIZE == 2u) {
    let even = 0.5 * (d[1] + d[2]);
    return array(d[0] + even, 0.5 * (d[1] - d[2]), even + d[3]);
  }
  let even = (d[1] + d[2]) / -6.0;
  let even2 = d[3] + d[4];
  return array(d[0] / 4.0 + even + even2 / 24.0, (d[2] - d[1]) / 6.0 + (d[3] - d[4]) / 12.0,
               even + even2 / 6.0 + d[5]);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let vectors = p.columns / 4u;
  let c = id % vectors * 4u;
  let r = id / vectors;
  let lanes = vec4u(0u, 1u, 2u, 3u);
  let source = select(r * p.columns + c + lanes, (c + lanes) * p.rows + r, FLIPPED);
  let to = r * SIDE * SIDE * vectors + id % vectors;

  let taps = select(p.taps, 3u, UNROLLED);
  let side = select(p.side, SIDE, UNROLLED);
  if (ADJOINT) {
    var half: array<array<vec4f, 3>, 6>;
    for (var j = 0u; j < side; j++) {
      var column: array<vec4f, 6>;
      for (var i = 0u; i < SIDE; i++) { column[i] = u[to + (i * SIDE + j) * vectors]; }
      half[j] = gather(column);
    }
    for (var i = 0u; i < taps; i++) {
      let row = gather(array(half[0][i], half[1][i], half[2][i], half[3][i], half[4][i], half[5][i]));
      for (var j = 0u; j < 3u; j++) {
        for (var l = 0u; l < 4u; l++) { w[(i * 3u + j) * p.rows * p.columns + source[l]] = row[j][l]; }
      }
    }
  } else {
    var half: array<array<vec4f, 6>, 3>;
    for (var j = 0u; j < taps; j++) {
      var column: array<vec4f, 3>;
      for (var i = 0u; i < 3u; i++) {
        let tap = i * 3u + j;
        let at = source + select(tap, 8u - tap, FLIPPED) * p.rows * p.columns;
        column[i] = vec4f(w[at.x], w[at.y], w[at.z], w[at.w]);
      }
      half[j] = spread(column);
    }
    for (var i = 0u; i < side; i++) {
      let row = spread(array(half[0][i], half[1][i], half[2][i]));
      for (var j = 0u; j < SIDE; j++) { u[to + (i * SIDE + j) * vectors] = row[j]; }
    }
  }
}
