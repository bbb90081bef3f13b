// Batch normalisation in evaluation as the epilogue of a convolution: four rows of channels.
//
//   terms[0, c] = bias[c], that of the convolution     terms[2, c] = 1 / sqrt(runningVar[c] + eps) * weight[c]
//   terms[1, c] = runningMean[c]                       terms[3, c] = shift[c], the bias of the normalisation
//
// terms [4, C], all others [C]. A thread owns a channel.
const WG: u32 = 64u;
const HAS_BIAS: bool = true;
const HAS_WEIGHT: bool = true;
const HAS_SHIFT: bool = true;

struct Params { count: u32, eps: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> runningMean: array<f32>;
@group(0) @binding(3) var<storage, read> runningVar: array<f32>;
@group(0) @binding(4) var<storage, read> weight: array<f32>;
@group(0) @binding(5) var<storage, read> shift: array<f32>;
@group(0) @binding(6) var<storage, read_write> terms: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  var scale = 1.0 / sqrt(runningVar[id] + p.eps);
  if (HAS_WEIGHT) { scale *= weight[id]; }
  terms[id] = select(0.0, bias[id], HAS_BIAS);
  terms[p.count + id] = runningMean[id];
  terms[2u * p.count + id] = scale;
  terms[3u * p.count + id] = select(0.0, shift[id], HAS_SHIFT);
}
