/** Reads what Mesa's compiler for Intel says of a pipeline. */
import { digits, percent } from "../lib/table.mjs";

/** What makes the compiler speak. */
export const DEBUG = { INTEL_DEBUG: "cs" };

/** Lanes that a core computes in a clock, and words that it loads from memory and from workgroup memory. */
const [LANES, MEMORY_WORDS, SHARED_WORDS] = [128, 32, 32];
/** Lanes that an engine computes in a clock; the wider ones are those of Xe2. */
const engineLanes = (gpu) => (gpu === "lnl" ? 16 : 8);

const INSTRUCTION = /^(?:\([^)]*\)\s*)?([a-z]+\d?)[\w. ]*\((\d+)\)/;
const MULTIPLY_ADD = /^(?:\([^)]*\)\s*)?(mad|mac)\b.*?<\d+>F\b/;
/** Not work of the arithmetic units: messages, waiting and control flow. */
const OTHER = /^(sends?|sendc|sync|nop|wait|if|else|endif|while|break|cont|halt|jmpi|call|ret|join|goto)$/;
/** Square roots, quotients, exponentials: a quarter of the lanes. */
const SLOW = "math";

/** What a message (the line after `send`) moves: its kind and its words a lane. Blocks that all lanes share count 0. */
export function messageOf(text) {
  const isWrite = /\bwrite\b|\bstore\b/.test(text);
  // Loads, stores: newer GPUs name vectors and "ss", the memory of spills; older ones masks of words left out and 253.
  const [, width] = /\bV(\d+)\b/.exec(text) ?? [];
  const [, mask] = /Mask = 0x([0-9a-f])/.exec(text) ?? [];
  let words = 0;
  if (width !== undefined) words = text.includes("transpose") ? 0 : Number(width);
  else if (mask !== undefined) words = [1, 2, 4, 8].filter((bit) => (Number.parseInt(mask, 16) & bit) === 0).length;
  const isSpill = /,\s*ss\s*\)/.test(text) || (/(bti|Surface =) 253\b/.test(text) && !text.includes("A64"));
  if (isSpill) return { kind: isWrite ? "spill" : "fill", words: 1 };
  if (/^\s*slm\b/.test(text) || /(bti|Surface =) 254\b/.test(text)) return { kind: "shared", words };
  if (/\bload\b|\bread\b|^\s*const\b/.test(text)) return { kind: isWrite ? "store" : "load", words };
  return { kind: isWrite ? "store" : "other", words: 0 };
}

/** Ranges of lines that a `while` repeats, without those that hold another. */
function innermostLoops(lines) {
  const labels = new Map();
  const loops = [];
  for (const [i, line] of lines.entries()) {
    const label = /^(LABEL\d+):/.exec(line)?.[1];
    if (label) labels.set(label, i);
    const begin = labels.get(/^(?:\([^)]*\)\s*)?while\(\d+\)\s+JIP:\s+(LABEL\d+)/.exec(line)?.[1]);
    if (begin !== undefined) loops.push({ begin, end: i });
  }
  const holds = (a, b) => a.begin <= b.begin && a.end >= b.end && (a.begin < b.begin || a.end > b.end);
  return loops.filter((loop) => !loops.some((other) => holds(loop, other)));
}

/**
 * What the lines of a loop do, each per lane: slots are instructions of the whole width, and a narrow one takes at
 * least a clock.
 */
function count(lines, simd, engine) {
  const mix = {
    instructions: 0,
    multiplyAdds: 0,
    slots: 0,
    sends: 0,
    memoryWords: 0,
    sharedWords: 0,
    spills: 0,
    fills: 0,
  };
  for (const [i, line] of lines.entries()) {
    const [, name, width] = INSTRUCTION.exec(line) ?? [];
    if (name === undefined) continue;
    mix.instructions++;
    if (MULTIPLY_ADD.test(line)) mix.multiplyAdds += Number(width) / simd;
    if (!OTHER.test(name)) mix.slots += (Math.max(Number(width), engine) / simd) * (name === SLOW ? 4 : 1);
    if (!name.startsWith("send")) continue;
    mix.sends++;
    const { kind, words } = messageOf(lines[i + 1] ?? "");
    if (kind === "spill") mix.spills++;
    else if (kind === "fill") mix.fills++;
    else if (kind === "shared") mix.sharedWords += words;
    else if (kind === "load") mix.memoryWords += words;
  }
  return mix;
}

/** The innermost loop with the most multiply-adds; where none has any, the longest. */
export function hotLoop(assembly, simd, engine) {
  const lines = assembly.split("\n");
  const mixes = innermostLoops(lines).map(({ begin, end }) => count(lines.slice(begin, end + 1), simd, engine));
  return mixes.sort((a, b) => b.multiplyAdds - a.multiplyAdds || b.instructions - a.instructions)[0];
}

/**
 * An upper bound on the share of the arithmetic peak that a loop reaches, and what bounds it: the tightest of its
 * arithmetic, what goes to and comes from memory, spilled registers among it, and workgroup memory.
 */
export function peakShare({ multiplyAdds, slots, memoryWords, sharedWords, spills, fills }) {
  const clocks = {
    arithmetic: slots,
    memory: ((memoryWords + spills + fills) * LANES) / MEMORY_WORDS,
    "workgroup memory": (sharedWords * LANES) / SHARED_WORDS,
  };
  const [bound, most] = Object.entries(clocks).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { bound, share: most > 0 ? multiplyAdds / most : 0 };
}

const STATISTICS = /SIMD(\d+) shader: (\d+) instructions\. .*?(\d+):(\d+) spills:fills, (\d+) sends/;
const lastNumber = (text, pattern) => Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);

/** The pipelines in a log of compile.mjs, by key. Those that repeat an earlier one have no statistics of their own. */
export function readLog(log, gpu) {
  /** @type {Record<string, any>} */
  const pipelines = {};
  for (const [, key, text] of log.matchAll(/^@@begin (.*)\n([\s\S]*?)^@@end$/gm)) {
    const at = text.lastIndexOf("Native code for");
    const statistics = STATISTICS.exec(text.slice(at));
    if (at < 0 || statistics === null) continue;
    const [simd, instructions, spills, fills, sends] = statistics.slice(1).map(Number);
    const loop = hotLoop(text.slice(at), simd, engineLanes(gpu));
    pipelines[key] = {
      simd,
      instructions,
      spills,
      fills,
      sends,
      scratchBytes: lastNumber(text, /^scratch(?:_size)?: (\d+)/gm),
      workgroupBytes: lastNumber(text, /^shared(?:_size)?: (\d+)/gm),
      ...(loop ? { loop: { ...loop, ...peakShare(loop) } } : {}),
    };
  }
  return pipelines;
}

/** Titles of what {@link summarize} says of many pipelines. */
export const SUMMARY = ["with scratch", "with spills", "in the hot loop"];

export const summarize = (pipelines) => [
  pipelines.filter(({ scratchBytes }) => scratchBytes > 0).length,
  pipelines.filter(({ spills, fills }) => spills + fills > 0).length,
  pipelines.filter(({ loop }) => loop !== undefined && loop.spills + loop.fills > 0).length,
];

/** Titles of {@link cells}. */
export const HEADER = [
  "SIMD",
  "spills:fills",
  "in the loop",
  "scratch, B",
  "workgroup, B",
  "multiply-adds",
  "of ALU",
  "sends",
  "words",
  "a word",
  "of peak",
  "bound by",
];

/** The figures of a pipeline. */
export function cells({ simd, spills, fills, scratchBytes, workgroupBytes, loop }) {
  const inLoop = loop ? `${loop.spills}:${loop.fills}` : "";
  const figures = [String(simd), `${spills}:${fills}`, inLoop, String(scratchBytes), String(workgroupBytes)];
  if (!loop?.multiplyAdds) return [...figures, "", "", "", "", "", "", ""];
  const { multiplyAdds, slots, sends, memoryWords, share, bound } = loop;
  const mix = [String(multiplyAdds), percent(multiplyAdds / slots), String(sends), String(memoryWords)];
  return [...figures, ...mix, digits(multiplyAdds / memoryWords), percent(share), bound];
}

/** What a reader of the table must know. */
export const HEAD = [
  "SIMD: lanes of a thread; spills:fills: registers stored to and loaded from memory, in the whole kernel and in its hot loop",
  "the hot loop is the innermost one with the most multiply-adds; all figures of it are per lane and turn",
  "of ALU: multiply-adds among the instructions of the arithmetic units, a narrow one counting for its clock; sends: messages to memory; words: read from memory; a word: multiply-adds a word",
  "of peak: an upper bound, by the tightest of arithmetic, memory (128 lanes, 32 words a clock; spilled registers are words) and workgroup memory, each lane reading words of its own",
];
