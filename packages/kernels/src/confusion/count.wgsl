// Counts pairs of labels: counts[truth, prediction] += 1 for every pixel whose two labels are both in range.
//
//   truth, prediction  int32 [pixels]; may be parts that begin at elements p.firstTruth and p.firstPrediction
//   counts             u32 [rows, columns], zero at first
//
// A workgroup counts its share of the pixels in a table of its own where the pairs fit into CELLS (SHARED), and adds
// the table to the counts at the end. A thread counts every p.stride-th pixel. The atomics are integers, so their order
// does not change the result.
const WG: u32 = 64u;
const CELLS: u32 = 4096u;
const SHARED: bool = true;

struct Params {
  pixels: u32,
  stride: u32,
  rows: u32,
  columns: u32,
  firstTruth: u32,
  firstPrediction: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> truth: array<i32>;
@group(0) @binding(2) var<storage, read> prediction: array<i32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> own: array<atomic<u32>, CELLS>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  // WebGPU clears the memory of a workgroup.
  for (var i = group.x * WG + local; i < p.pixels; i += p.stride) {
    let row = truth[p.firstTruth + i];
    let column = prediction[p.firstPrediction + i];
    // As an unsigned number a negative label is out of range.
    if (u32(row) < p.rows && u32(column) < p.columns) {
      let cell = u32(row) * p.columns + u32(column);
      if (SHARED) { atomicAdd(&own[cell], 1u); } else { atomicAdd(&counts[cell], 1u); }
    }
  }
  if (!SHARED) { return; }
  workgroupBarrier();
  for (var cell = local; cell < p.rows * p.columns; cell += WG) {
    let count = atomicLoad(&own[cell]);
    if (count > 0u) { atomicAdd(&counts[cell], count); }
  }
}
