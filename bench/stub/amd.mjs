/** Reads what Mesa's compiler for AMD says of a pipeline. */
import { digits, percent } from "../lib/table.mjs";

/** What makes the compiler speak. */
export const DEBUG = { RADV_DEBUG: "shaderstats,asm,nocache" };

/** Lanes that a compute unit computes in a clock, words from its first-level cache, and words from workgroup memory. */
const [LANES, CACHE_WORDS, SHARED_WORDS] = [64, 16, 32];

const MULTIPLY_ADD = /^v_(dual_)?(fma|fmac|fmaak|fmamk|mac|mad|madak|madmk)_f32/;
const PACKED_MULTIPLY_ADD = /^v_pk_fma_f32/;
/** Four times the slots of others. */
const QUARTER_RATE = /^v_(mul_lo|mul_hi|mad_u64|exp|log|rcp|sqrt|rsq|sin|cos)_/;
const MEMORY = /^(buffer|global|flat)_load/;
const SHARED = /^ds_(read|write|load|store)/;
const SCRATCH = /^scratch_/;

/** Words of an instruction that moves data, by what its name ends with. */
function wordsOf(name) {
  const [, width = "1"] = /(?:dwordx?|_b)(\d+)?$/.exec(name) ?? [];
  const words = name.includes("_b") ? Number(/_b(\d+)$/.exec(name)?.[1] ?? 32) / 32 : Number(width);
  return /^ds_(read|write|load|store)2/.test(name) ? 2 * words : words;
}

/** The instructions of a line; those that are issued together are joined by `::`. */
const instructionsOf = (line) =>
  line
    .replace(/\s*;.*$/, "")
    .split("::")
    .map((text) => text.trim().split(/\s+/)[0]);

/** Basic blocks in order: their names, and the lines of each. */
function blocksOf(assembly) {
  const blocks = [];
  for (const line of assembly.split("\n")) {
    const label = /^(BB\d+):/.exec(line)?.[1];
    if (label) blocks.push({ label, lines: [] });
    else if (line.startsWith("\t")) blocks.at(-1)?.lines.push(line.trim());
  }
  return blocks;
}

/** Ranges of blocks that a branch backwards repeats, without those that hold another. */
function innermostLoops(blocks) {
  const indices = new Map(blocks.map(({ label }, i) => [label, i]));
  const loops = blocks.flatMap(({ lines }, end) =>
    lines.flatMap((line) => {
      const begin = indices.get(/^s_c?branch\S*\s+(BB\d+)/.exec(line)?.[1]);
      return begin !== undefined && begin <= end ? [{ begin, end }] : [];
    }),
  );
  const holds = (a, b) => a.begin <= b.begin && a.end >= b.end && (a.begin < b.begin || a.end > b.end);
  return loops.filter((loop) => !loops.some((other) => holds(loop, other)));
}

/** What the lines of a loop do: multiply-adds, slots of the vector units, and words moved, each per lane. */
function count(lines) {
  const mix = { instructions: lines.length, multiplyAdds: 0, slots: 0, memoryWords: 0, sharedWords: 0, scratch: 0 };
  for (const line of lines) {
    const names = instructionsOf(line);
    if (names.some((name) => name.startsWith("v_"))) mix.slots += QUARTER_RATE.test(names[0]) ? 4 : 1;
    for (const name of names) {
      if (PACKED_MULTIPLY_ADD.test(name)) mix.multiplyAdds += 2;
      else if (MULTIPLY_ADD.test(name)) mix.multiplyAdds += 1;
      else if (SCRATCH.test(name)) mix.scratch += 1;
      else if (MEMORY.test(name)) mix.memoryWords += wordsOf(name);
      else if (SHARED.test(name)) mix.sharedWords += wordsOf(name);
    }
  }
  return mix;
}

/** The innermost loop with the most multiply-adds; where none has any, the longest. */
export function hotLoop(assembly) {
  const blocks = blocksOf(assembly);
  const mixes = innermostLoops(blocks).map(({ begin, end }) =>
    count(blocks.slice(begin, end + 1).flatMap(({ lines }) => lines)),
  );
  return mixes.sort((a, b) => b.multiplyAdds - a.multiplyAdds || b.instructions - a.instructions)[0];
}

/**
 * An upper bound on the share of the arithmetic peak that a loop reaches, and what bounds it: the tightest of its
 * vector slots, the first-level cache and workgroup memory, each lane reading words of its own.
 */
export function peakShare({ multiplyAdds, slots, memoryWords, sharedWords }) {
  const clocks = {
    arithmetic: slots,
    cache: (memoryWords * LANES) / CACHE_WORDS,
    "workgroup memory": (sharedWords * LANES) / SHARED_WORDS,
  };
  const [bound, most] = Object.entries(clocks).reduce((a, b) => (b[1] > a[1] ? b : a));
  return { bound, share: most > 0 ? multiplyAdds / most : 0 };
}

/** The pipelines in a log of compile.mjs, by key. Those that repeat an earlier one have no statistics of their own. */
export function readLog(log) {
  const pipelines = {};
  for (const [, key, text] of log.matchAll(/^@@begin (.*)\n([\s\S]*?)^@@end$/gm)) {
    const figures = Object.fromEntries(
      [...text.matchAll(/^([A-Z][\w .-]+): (\d+)$/gm)].map(([, name, n]) => [name, +n]),
    );
    const assembly = /disasm:\n([\s\S]*?)\n\n/.exec(text)?.[1];
    if (figures.VGPRs === undefined || assembly === undefined) continue;
    // The statistics of RDNA count waves of 32, of which a wave of 64 takes two.
    const isRdna = /^\ts_.*\bnull\b/m.test(assembly);
    const lanes = /\bexec_lo\b/.test(assembly) ? 32 : 64;
    const loop = hotLoop(assembly);
    pipelines[key] = {
      registers: figures.VGPRs,
      waves: figures["Subgroups per SIMD"] / (isRdna && lanes === 64 ? 2 : 1),
      scratchBytes: figures["Scratch size"],
      spills: figures["Spilled VGPRs"] + figures["Spilled SGPRs"],
      workgroupBytes: figures["LDS size"],
      ...(loop ? { loop: { ...loop, ...peakShare(loop) } } : {}),
    };
  }
  return pipelines;
}

/** Titles of what {@link summarize} says of many pipelines. */
export const SUMMARY = ["with scratch", "with spills", "fewest waves"];

export const summarize = (pipelines) => [
  pipelines.filter(({ scratchBytes }) => scratchBytes > 0).length,
  pipelines.filter(({ spills }) => spills > 0).length,
  Math.min(...pipelines.map(({ waves }) => waves)),
];

/** Titles of {@link cells}. */
export const HEADER = [
  "VGPRs",
  "waves",
  "scratch, B",
  "spills",
  "workgroup, B",
  "multiply-adds",
  "of slots",
  "words",
  "a word",
  "of peak",
  "bound by",
];

/** The figures of a pipeline. */
export function cells({ registers, waves, scratchBytes, spills, workgroupBytes, loop }) {
  const figures = [registers, waves, scratchBytes, spills, workgroupBytes].map(String);
  if (!loop?.multiplyAdds) return [...figures, "", "", "", "", "", ""];
  const { multiplyAdds, slots, memoryWords, share, bound } = loop;
  const mix = [String(multiplyAdds), percent(multiplyAdds / slots), String(memoryWords)];
  return [...figures, ...mix, digits(multiplyAdds / memoryWords), percent(share), bound];
}

/** What a reader of the table must know. */
export const HEAD = [
  "the hot loop is the innermost one with the most multiply-adds; all figures of it are per lane and turn",
  "of slots: multiply-adds among the instructions of the vector units; words: read from memory; a word: multiply-adds a word",
  "of peak: an upper bound, by the tightest of vector slots, first-level cache and workgroup memory, each lane reading words of its own",
];
