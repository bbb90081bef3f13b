import type { Random } from "../random.js";
import { concat, mutateBytes } from "./bytes.js";

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

/** Bytes of the argument of an opcode: fixed, or told by a length of so many bytes, or lines. */
const FIXED: Readonly<Record<string, number>> = {
  "\x80": 1,
  K: 1,
  h: 1,
  q: 1,
  M: 2,
  J: 4,
  j: 4,
  r: 4,
  G: 8,
  "\x95": 8,
};
const SIZED: Readonly<Record<string, number>> = { "\x8a": 1, "\x8b": 4, T: 4, U: 1, X: 4, "\x8c": 1, "\x8d": 8 };
const MORE_SIZED: Readonly<Record<string, number>> = { B: 4, C: 1, "\x8e": 8, "\x96": 8 };
const LINES: Readonly<Record<string, number>> = { I: 1, L: 1, F: 1, S: 1, V: 1, p: 1, g: 1, P: 1, c: 2, i: 2 };

/** The steps of a pickle with their arguments, and what comes after its end; undefined where it is none. */
function stepsOf(bytes: Uint8Array): { steps: Uint8Array[]; rest: Uint8Array } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const steps: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const opcode = String.fromCharCode(bytes[at] as number);
    let end = at + 1 + (FIXED[opcode] ?? 0);
    const size = SIZED[opcode] ?? MORE_SIZED[opcode];
    if (size !== undefined) {
      if (end + size > bytes.length) return undefined;
      const length = size === 1 ? view.getUint8(end) : view.getUint32(end, true);
      end += size + length;
    }
    for (let lines = LINES[opcode] ?? 0; lines > 0; lines--) {
      const stop = bytes.indexOf(0x0a, end);
      if (stop < 0) return undefined;
      end = stop + 1;
    }
    if (end > bytes.length) return undefined;
    steps.push(bytes.subarray(at, end));
    at = end;
    if (opcode === ".") return { steps, rest: bytes.subarray(at) };
  }
  return undefined;
}

const GLOBALS = ["os\nsystem", "posix\nsystem", "builtins\neval", "builtins\nexec", "__builtin__\ngetattr"]
  .concat(["subprocess\nPopen", "nt\nsystem", "torch\nload", "torch._utils\n_rebuild_tensor_v2", "torch\nFloatStorage"])
  .concat(["collections\nOrderedDict", "collections\ndefaultdict", "builtins\nset", "torch._utils\n_rebuild_parameter"])
  .concat([
    "torch._tensor\n_rebuild_from_type_v2",
    "torch.storage\nUntypedStorage",
    "_codecs\nencode",
    "numpy\nndarray",
  ])
  .concat(["__proto__\nx", "constructor\nconstructor", "Object\nassign", "globalThis\neval", "process\nexit"]);

/** Steps that call a function of the system as a hostile file would. */
const CANARY = latin1("cos\nsystem\n(X\x12\x00\x00\x00touch fuzz-was-heretR");

const OPCODES = "(012NIJKMGSVTUXBC)]}tldaesupqrghjcRbiPQo\x81\x82\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x91\x92\x93\x94";

function newStep(r: Random): Uint8Array {
  const choice = r.below(8);
  if (choice === 0) return CANARY;
  if (choice === 1) return latin1(`c${r.pick(GLOBALS)}\n`);
  if (choice === 2) return latin1(r.pick(["h\x00", "q\x00", "j\x01\x00\x00\x00", "2", "0", "(", "1", "\x94"]));
  if (choice === 3) {
    const name = r.pick(["__proto__", "constructor", "toString", "0", "w", "storage", "neg"]);
    return concat(latin1("X"), Uint8Array.of(name.length, 0, 0, 0), latin1(name));
  }
  if (choice === 4) {
    const number = new Uint8Array(5);
    number[0] = 0x4a;
    new DataView(number.buffer).setInt32(1, r.pick([-1, 0, 1, 2, 255, 65536, 0x7fffffff, -0x80000000]), true);
    return number;
  }
  if (choice === 5) return latin1(`\x8a\x08${String.fromCharCode(...Array.from({ length: 8 }, () => r.below(256)))}`);
  return latin1(r.pick([...OPCODES])).slice(0, 1);
}

/**
 * Changes of the steps of a pickle: left out, twice, exchanged, new ones, other arguments. Undefined where it is none.
 */
export function mutatePickle(bytes: Uint8Array, r: Random): Uint8Array | undefined {
  const parsed = stepsOf(bytes);
  if (parsed === undefined || parsed.steps.length < 3) return undefined;
  const { steps, rest } = parsed;
  for (let count = 1 + r.below(3); count > 0 && steps.length > 0; count--) {
    const [at, other] = [r.below(steps.length), r.below(steps.length)];
    const step = steps[at] as Uint8Array;
    const choice = r.below(8);
    if (choice === 0) steps.splice(at, 1 + r.below(3));
    else if (choice === 1) steps.splice(other, 0, step);
    else if (choice === 2) [steps[at], steps[other]] = [steps[other] as Uint8Array, step];
    else if (choice === 3) steps.splice(at, 0, newStep(r));
    else if (choice === 4) steps[at] = newStep(r);
    else if (choice === 5 && step[0] === 0x63) steps[at] = latin1(`c${r.pick(GLOBALS)}\n`);
    else if (choice === 6) steps.splice(other, 0, ...steps.slice(at, at + 1 + r.below(20)));
    else if (step.length > 1) steps[at] = concat(step.subarray(0, 1), mutateBytes(step.slice(1), r, step));
  }
  return concat(...steps, rest);
}

/** As {@link mutatePickle}, for a file of several pickles one after another (torch.save before 1.6). */
export function mutatePickles(bytes: Uint8Array, r: Random): Uint8Array | undefined {
  let begin = 0;
  for (let which = r.below(5); which > 0; which--) {
    const parsed = stepsOf(bytes.subarray(begin));
    if (parsed === undefined) return undefined;
    begin = bytes.length - parsed.rest.length;
  }
  const changed = mutatePickle(bytes.subarray(begin), r);
  return changed && concat(bytes.subarray(0, begin), changed);
}
