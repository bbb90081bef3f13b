// y[r, i] = x[r, 0] + ... + x[r, i] for a matrix [rows, size] in row-major order, or with REVERSE the sum of
// x[r, i] ... x[r, size - 1], which is its gradient.
//
// A workgroup owns a row. Each of its threads owns a run of neighbouring values: it sums them, the workgroup sums what
// precedes each run, and the thread writes the running sums of its values from there. Sums are always taken in this
// order, so the same device gives the same bits. What is bound begins at element p.first.
const WG: u32 = 64u;
const REVERSE: bool = false;

struct Params {
  count: u32, // of rows
  size: u32,
  first: u32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> totals: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let row = group.x + group.y * groups.x;
  if (row >= p.count) { return; }
  let run = (p.size + WG - 1u) / WG;
  let begin = min(local * run, p.size);
  let end = min(begin + run, p.size);
  let base = p.first + row * p.size;
  var sum = 0.0;
  for (var i = begin; i < end; i += 1u) {
    sum += x[base + select(i, p.size - 1u - i, REVERSE)];
  }
  totals[local] = sum;
  workgroupBarrier();
  sum = 0.0;
  for (var other = 0u; other < local; other += 1u) {
    sum += totals[other];
  }
  for (var i = begin; i < end; i += 1u) {
    let at = base + select(i, p.size - 1u - i, REVERSE);
    sum += x[at];
    y[at] = sum;
  }
}
