import { BadPickle, decodeUtf8 } from "./cursor.js";
import { decodeByteString, type Machine, parseDecimal, parseLong } from "./machine.js";
import type { Value } from "./values.js";

type Step = (m: Machine) => void;

const constant =
  (make: () => Value): Step =>
  (m) =>
    m.push(make());

/** A value decoded from `count` bytes, or from as many as `length` reads. */
const sized =
  (length: (m: Machine) => number, decode: (bytes: Uint8Array) => Value): Step =>
  (m) =>
    m.push(decode(m.cursor.take(length(m))));

const copy = (bytes: Uint8Array): Uint8Array => bytes.slice();
const uint8 = (m: Machine): number => m.cursor.uint8();
const uint32 = (m: Machine): number => m.cursor.uint32();
const uint64 = (m: Machine): number => m.cursor.uint64();
const int32 = (m: Machine): number => {
  const length = m.cursor.int32();
  if (length < 0) throw new BadPickle("it has a negative length");
  return length;
};

/** The last `count` values as a tuple. */
const tuple =
  (count: number): Step =>
  (m) => {
    const items = Array.from({ length: count }, () => m.pop());
    m.push(items.reverse());
  };

function parseInt32(text: string): Value {
  // How protocol 1 wrote booleans.
  if (text === "00" || text === "01") return text === "01";
  return parseDecimal(text);
}

function parseFloat64(text: string): number {
  const special: Readonly<Record<string, number>> = {
    inf: Number.POSITIVE_INFINITY,
    "-inf": Number.NEGATIVE_INFINITY,
    nan: Number.NaN,
  };
  if (Object.hasOwn(special, text)) return special[text]!;
  if (text.length > 400 || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text))
    throw new BadPickle("it has a damaged number");
  return Number(text);
}

/** The value of a quoted Python literal. Escapes are kept as written, since nothing depends on them. */
function unquote(text: string): string {
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) {
    throw new BadPickle("it has a string without quotes");
  }
  return text.slice(1, -1);
}

const call: Step = (m) => {
  const args = m.pop();
  m.call(m.pop(), args);
};

const STEPS: Readonly<Record<string, Step>> = {
  "(": (m) => m.mark(),
  "0": (m) => m.discard(),
  "1": (m) => void m.popMark(),
  "2": (m) => m.push(m.top()),
  "\x95": (m) => void m.cursor.take(8), // FRAME: only a hint
  // Numbers and other constants
  N: constant(() => null),
  "\x88": constant(() => true),
  "\x89": constant(() => false),
  I: (m) => m.push(parseInt32(m.cursor.line())),
  L: (m) => m.push(parseDecimal(m.cursor.line())),
  F: (m) => m.push(parseFloat64(m.cursor.line())),
  J: (m) => m.push(m.cursor.int32()),
  K: (m) => m.push(m.cursor.uint8()),
  M: (m) => m.push(m.cursor.uint16()),
  G: (m) => m.push(m.cursor.float64()),
  "\x8a": sized(uint8, parseLong),
  "\x8b": sized(int32, parseLong),
  // Strings and bytes
  S: (m) => m.push(unquote(m.cursor.line())),
  V: (m) => m.push(m.cursor.line()),
  T: sized(int32, decodeByteString),
  U: sized(uint8, decodeByteString),
  X: sized(uint32, decodeUtf8),
  "\x8c": sized(uint8, decodeUtf8),
  "\x8d": sized(uint64, decodeUtf8),
  B: sized(uint32, copy),
  C: sized(uint8, copy),
  "\x8e": sized(uint64, copy),
  "\x96": sized(uint64, copy),
  // Containers
  ")": constant(() => []),
  "]": constant(() => []),
  "}": constant(() => new Map()),
  "\x8f": constant(() => new Set()),
  "\x85": tuple(1),
  "\x86": tuple(2),
  "\x87": tuple(3),
  t: (m) => m.push(m.popMark()),
  l: (m) => m.push(m.popMark()),
  d: (m) => {
    const items = m.popMark();
    m.push(new Map());
    m.setItems(items);
  },
  "\x91": (m) => m.push(new Set(m.popMark())),
  a: (m) => m.append([m.pop()]),
  e: (m) => m.append(m.popMark()),
  s: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  },
  u: (m) => m.setItems(m.popMark()),
  "\x90": (m) => m.addItems(m.popMark()),
  // The memo
  p: (m) => m.store(Number(parseDecimal(m.cursor.line()))),
  q: (m) => m.store(m.cursor.uint8()),
  r: (m) => m.store(m.cursor.uint32()),
  "\x94": (m) => m.memoize(),
  g: (m) => m.recall(Number(parseDecimal(m.cursor.line()))),
  h: (m) => m.recall(m.cursor.uint8()),
  j: (m) => m.recall(m.cursor.uint32()),
  // Objects
  c: (m) => {
    const module = m.cursor.line();
    m.push(m.find(module, m.cursor.line()));
  },
  "\x93": (m) => {
    const name = m.pop();
    m.push(m.find(m.pop(), name));
  },
  R: call,
  "\x81": call,
  "\x92": (m) => {
    const keywords = m.pop();
    const args = m.pop();
    if (!(keywords instanceof Map) || !Array.isArray(args))
      throw new BadPickle("it makes an object from damaged arguments");
    m.call(m.pop(), keywords.size > 0 ? [args, keywords] : args);
  },
  i: (m) => {
    const module = m.cursor.line();
    const callee = m.find(module, m.cursor.line());
    m.call(callee, m.popMark());
  },
  o: (m) => {
    const [callee, ...args] = m.popMark();
    m.call(callee, args);
  },
  b: (m) => m.build(m.pop()),
  P: (m) => m.persistent(m.cursor.line()),
  Q: (m) => m.persistent(m.pop()),
};

/** The step of each opcode except PROTO and STOP, by its byte. */
export const stepTable = (): ReadonlyMap<number, Step> =>
  new Map(Object.entries(STEPS).map(([character, step]) => [character.charCodeAt(0), step]));
