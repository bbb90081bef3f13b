// The multiply-adds that the adapter does in a second: each invocation keeps four vectors in registers, each of which
// waits only for itself, and takes them `ROUNDS` times through eight multiply-adds. One load and one store at its ends
// keep the compiler from leaving the work out.
const ROUNDS: u32 = 512;

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;

fn steps(start: vec4f, f: vec4f, s: vec4f) -> vec4f {
  let four = fma(fma(fma(fma(start, f, s), f, s), f, s), f, s);
  return fma(fma(fma(fma(four, f, s), f, s), f, s), f, s);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = source[0];
  let summand = source[1];
  var a = source[id.x % 64u];
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  for (var i = 0u; i < ROUNDS; i++) {
    a = steps(a, factor, summand);
    b = steps(b, factor, summand);
    c = steps(c, factor, summand);
    d = steps(d, factor, summand);
  }
  result[id.x] = a + b + c + d;
}
