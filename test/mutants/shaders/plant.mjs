/**
 * Rules by which a token of WGSL becomes another. Operators stand between spaces, as types such as `array<f32>` do not.
 */
const RULES = [
  [/ \+ /g, " - "],
  [/(?<=[\w)\]]) - /g, " + "],
  [/ \* /g, " / "],
  [/ \/ /g, " * "],
  [/ % /g, " / "],
  [/ \+= /g, " -= "],
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ == /g, " != "],
  [/ != /g, " == "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/\bmin\(/g, "max("],
  [/\bmax\(/g, "min("],
  [/\.x\b/g, ".y"],
  [/\.y\b/g, ".x"],
  [/(?<![\w.])(\d+)(?=u\b)/g, (digits) => `${Number(digits) + 1}`],
  [/(?<![\w.])(\d+\.\d+)(?![\w.])/g, (digits) => `${Number(digits) + 1}.0`],
  [/!(?=[A-Z(])/g, ""],
];

/** Lines that are no code of a function: comments, constants that plans set, the interface, and attributes. */
const isCode = (line) =>
  !/^(\/\/|const |struct |enable |@|[\w ,:]*}$|var<)|workgroup_size|@builtin|@group/.test(line.trim());

/** Every fault of a shader by the rules: where it is, what stands there and what is put there. */
function allFaults(source) {
  const faults = [];
  let inFunction = false;
  let at = 0;
  for (const [i, line] of source.split("\n").entries()) {
    if (/^fn /.test(line)) inFunction = true;
    const code = line.replace(/\/\/.*/, "");
    if (inFunction && isCode(line)) {
      // What a loop counts by is left alone: faults there never end.
      const loop = /^(\s*(?:\} )?for \([^;]*;[^;]*;)([^)]*)/.exec(code);
      const untouched = loop ? [loop[1].length, loop[0].length] : [0, 0];
      for (const [pattern, to] of RULES) {
        for (const match of code.matchAll(pattern)) {
          if (match.index >= untouched[0] && match.index < untouched[1]) continue;
          const replacement = typeof to === "string" ? to : to(match[1]);
          faults.push({ line: i + 1, column: match.index + 1, at: at + match.index, from: match[0], to: replacement });
        }
      }
    }
    at += line.length + 1;
  }
  return faults;
}

/** Numbers from 0 to below 1 that depend on the seed alone (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * At most `count` faults of a shader, the same ones for the same text, in the order of the text; and how many there are
 * in all.
 */
export function faultsOf(source, count) {
  const all = allFaults(source);
  const random = randomFrom(source.length);
  const drawn = all.map((fault) => [random(), fault]).sort(([a], [b]) => a - b);
  const faults = drawn
    .slice(0, count)
    .map(([, fault]) => fault)
    .sort((a, b) => a.at - b.at)
    .map((fault) => ({
      ...fault,
      source: source.slice(0, fault.at) + fault.to + source.slice(fault.at + fault.from.length),
    }));
  return { faults, all: all.length };
}
