// A plane of floats from one byte of each pixel, by a table of what the 256 bytes stand for.
//
//   y[first + i] = table[(x[source + i] >> shift) & 255]   for 0 <= i < count
//
// A pixel is a word of four bytes: red lowest, then green, blue and opacity. x [pixels], y [channels, pixels] and table
// [channels, 256] may be parts; a dispatch fills one plane or a part of it. A table in place of arithmetic gives the
// bits that the host computed, whatever the adapter makes of a division. A thread owns a pixel.
const WG: u32 = 64u;

struct Params {
  count: u32,
  source: u32,
  first: u32,
  shift: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let i = (group.x + group.y * groups.x) * WG + local;
  if (i >= p.count) { return; }
  y[p.first + i] = table[(x[p.source + i] >> p.shift) & 255u];
}
