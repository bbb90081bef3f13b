// Colours of labels, blended over an image.
//
//   y[i] = round((1 - alpha) * image[i] + alpha * palette[labels[i]])   where the label has a colour and is not p.plain
//   y[i] = image[i]                                                     elsewhere
//
// A pixel is a word of four bytes: red lowest, then green, blue and opacity. Without IMAGE the image counts as
// transparent black and alpha as 1. labels, image and y [pixels] may be parts that begin at element p.first; palette
// [colours]. A thread owns a pixel.
const WG: u32 = 64u;
const IMAGE: bool = true;

struct Params {
  count: u32,
  first: u32,
  colours: u32,
  plain: i32,
  alpha: f32,
}

@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> labels: array<i32>;
@group(0) @binding(2) var<storage, read> palette: array<u32>;
@group(0) @binding(3) var<storage, read> image: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<u32>;

fn bytes(word: u32) -> vec4f { return vec4f((vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u)); }

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) local: u32) {
  let id = (group.x + group.y * groups.x) * WG + local;
  if (id >= p.count) { return; }
  let at = p.first + id;
  let label = labels[at];
  let coloured = u32(label) < p.colours && label != p.plain;
  if (!IMAGE) {
    y[at] = select(0u, palette[min(u32(label), p.colours - 1u)], coloured);
    return;
  }
  let under = image[at];
  if (!coloured) {
    y[at] = under;
    return;
  }
  let mixed = vec4u(floor(bytes(under) * (1.0 - p.alpha) + bytes(palette[label]) * p.alpha + 0.5));
  let word = mixed << vec4u(0u, 8u, 16u, 24u);
  y[at] = word.x | word.y | word.z | word.w;
}
