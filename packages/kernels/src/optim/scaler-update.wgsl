// Sets the scale for the next step (torch.amp.GradScaler.update) by the record of one optimiser, or one after the other
// by those of several: the last of them (isLast) sets it.
//
//   found   the steps of one of them were skipped: scale = scale * backoff, and tracker = 0
//   else    tracker = tracker + 1; when it reaches `interval`, scale = scale * growth and tracker = 0
//
// counts[0] = (tracker, found so far, updates with skipped steps in a row, all of these). A scale never grows past the
// largest float. One thread does it all.
const LARGEST: f32 = 3.4028234e38;

struct Params { isLast: u32, growth: f32, backoff: f32, interval: f32 }

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> record: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> counts: array<vec4f>;

@compute @workgroup_size(1)
fn main() {
  let before = counts[0];
  let found = max(before.y, record[0].y);
  if (p.isLast == 0u) {
    counts[0].y = found;
    return;
  }
  if (found != 0.0) {
    scale[0] *= p.backoff;
    counts[0] = vec4f(0.0, 0.0, before.z + 1.0, before.w + 1.0);
    return;
  }
  let grows = before.x + 1.0 >= p.interval;
  if (grows && scale[0] <= LARGEST / p.growth) { scale[0] *= p.growth; }
  counts[0] = vec4f(select(before.x + 1.0, 0.0, grows), 0.0, 0.0, before.w);
}
