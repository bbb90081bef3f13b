// Input gradient of batch normalisation: dx[m, c] = scale[c] * dy[m, c] - slope[c] * (x[m, c] - mean[c]) - offset[c].
//
// x, dy, dx [rows, C], channels last; terms [4, C] = mean, scale, slope, offset from backward-merge.wgsl. Where the
// statistics are frozen (not TRAINING) only the first term is left and x is not read. A thread owns one channel of ROWS
// rows, or four channels (VEC: the views with a 4 are used and p.columns counts vec4). x, dy and dx may be windows whose rows begin at
// element p.first.
const WG: u32 = 64u;
const ROWS: u32 = 8u;
const VEC: bool = false;
const TRAINING: bool = true;

struct Params { count: u32, columns: u32, rows: u32, channels: u32, first: u32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> x4: array<vec4f>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> dy4: array<vec4f>;
@group(0) @binding(5) var<storage, read> terms: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(7) var<storage, read_write> dx4: array<vec4f>;

fn four(at: u32) -> vec4f { return vec4f(terms[at], terms[at + 1u], terms[at + 2u], terms[at + 3u]); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let column = id % p.columns;
  let begin = id / p.columns * ROWS;
  let end = min(p.rows, begin + ROWS);
  if (VEC) {
    let c = column * 4u;
    let mean = four(c);
    let scale = four(p.channels + c);
    let slope = four(2u * p.channels + c);
    let offset = four(3u * p.channels + c);
    for (var row = begin; row < end; row++) {
      let at = p.first + row * p.columns + column;
      var value = scale * dy4[at];
      if (TRAINING) { value -= slope * (x4[at] - mean) + offset; }
      dx4[at] = value;
    }
  } else {
    let mean = terms[column];
    let scale = terms[p.channels + column];
    let slope = terms[2u * p.channels + column];
    let offset = terms[3u * p.channels + column];
    for (var row = begin; row < end; row++) {
      let at = p.first + row * p.columns + column;
      var value = scale * dy[at];
      if (TRAINING) { value -= slope * (x[at] - mean) + offset; }
      dx[at] = value;
    }
  }
}
