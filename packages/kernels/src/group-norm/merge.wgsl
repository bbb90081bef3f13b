// Second pass of the statistics: the slices and channels of each group merged by Chan's rule, relative to the first mean.
//
//   stats[0, n, g] = mean      stats[1, n, g] = 1 / sqrt(m2 / (rows * width) + eps)
//
// partial [2, N, slices, C], a group being `width` neighbouring channels; stats [2, N, G]. A thread owns a group of an image.
const WG: u32 = 64u;

struct Params { count: u32, channels: u32, width: u32, rows: u32, rowsPerSlice: u32, slices: u32, eps: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> partial: array<f32>;
@group(0) @binding(2) var<storage, read_write> stats: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let perImage = p.channels / p.width;
  let image = id / perImage;
  let begin = image * p.slices * p.channels + id % perImage * p.width;
  let second = p.count / perImage * p.slices * p.channels;
  let origin = partial[begin];
  var mean = 0.0;
  var m2 = 0.0;
  var seen = 0.0;
  for (var s = 0u; s < p.slices; s++) {
    let more = f32(min(p.rows - s * p.rowsPerSlice, p.rowsPerSlice));
    for (var c = 0u; c < p.width; c++) {
      let at = begin + s * p.channels + c;
      let delta = partial[at] - origin - mean;
      let total = seen + more;
      mean += delta * (more / total);
      m2 += partial[second + at] + delta * delta * (seen * more / total);
      seen = total;
    }
  }
  stats[id] = origin + mean;
  stats[p.count + id] = 1.0 / sqrt(m2 / seen + p.eps);
}
