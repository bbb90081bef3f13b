// Gradient of the cross-entropy of bilinearly upsampled scores, second pass: the sum of what the four patches around a
// cell, in all their slices, give to it.
//
// part [slices, N, H + 1, W + 1, 4, quads] is that of gradient.wgsl; dx [N, H, W, C], channels last. Patch (j, k) ends
// at cell (j, k). A thread owns an element of dx.
const WG: u32 = 64u;

struct Params {
  count: u32,
  slices: u32,
  images: u32,
  quads: u32,
  channels: u32,
  inH: u32,
  inW: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> part: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let c = id % p.channels;
  let x = id / p.channels % p.inW;
  let y = id / (p.channels * p.inW) % p.inH;
  let image = id / (p.channels * p.inW * p.inH);
  let corner = p.quads * 4u;
  let patchSize = corner * 4u;
  let patchRow = (p.inW + 1u) * patchSize;
  var sum = 0.0;
  for (var slice = 0u; slice < p.slices; slice++) {
    let at = ((slice * p.images + image) * (p.inH + 1u) + y) * patchRow + x * patchSize + c;
    sum += (part[at + 3u * corner] + part[at + patchSize + 2u * corner])
      + (part[at + patchRow + corner] + part[at + patchRow + patchSize]);
  }
  dx[id] = sum;
}
