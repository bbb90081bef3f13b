import { brief, showSome, TensorError } from "../plain/errors.js";

type Shape = readonly number[];

/** The names that a net has. */
export interface NameTarget {
  readonly names: readonly string[];
  /** The net's name for a name of a file; undefined where it has none, or the shape does not fit. */
  find(name: string, shape: Shape): string | undefined;
}

/** How the names of a file become those of a net. */
export interface NameMatch {
  /** Undefined for an array that stands beside those of the net. */
  rename(name: string): string | undefined;
  /** What is dropped from names: parts that wrappers add, and a prefix. */
  readonly dropped: readonly string[];
  /** What is put before names; empty where nothing is. */
  readonly added: string;
  /** Arrays of the net that the file has, by name and shape. */
  readonly matched: number;
}

/** What wrappers of PyTorch put between the parts of a name, where the net has no part of that name. */
const WRAPPERS = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module"];
/** Part of the net's arrays that a prefix must find to be taken for one. */
const ENOUGH = 1 / 3;
/** Part of the best prefix's arrays that another one must find for the two to be alternatives. */
const RIVAL = 1 / 2;

/** Parts of a name that a prefix has at most. */
const LONGEST = 16;

interface Candidate {
  readonly prefix: string;
  readonly added: string;
  /** Names of the net, each with the name in the file. */
  readonly found: Map<string, string>;
}

/**
 * Finds what stands before the names of a net in a file: nothing, the prefixes of modules that hold the net (`model.`,
 * `student.`), or a beginning that the file lacks, as `backbone.`; parts that wrappers add are dropped wherever they
 * stand. Names as they are win unless something else finds more arrays of the net, by name and shape.
 *
 * @param at what the messages begin with
 * @param prefix the one that the caller chose; "" for names as they are
 *
 * Throws a TensorError: "ambiguous-prefix" where several prefixes fit, "invalid-argument" where no name has the prefix
 * that was chosen.
 */
export function matchNames(
  at: string,
  target: NameTarget,
  shapes: ReadonlyMap<string, Shape>,
  prefix?: string,
): NameMatch {
  if (prefix === "") return { rename: (name) => name, dropped: [], added: "", matched: countPlain(target, shapes) };
  const { clean, dropped } = cleanNames(target.names, [...shapes.keys()]);
  const candidates = candidatesOf(target, shapes, clean);
  const [plain, ...others] = candidates;
  if (prefix !== undefined) {
    const given = prefixOf(at, prefix, clean);
    const rivals = candidates.filter((candidate) => candidate.prefix === given);
    const added = largest(rivals) ?? { prefix: given, added: "", found: new Map<string, string>() };
    return matchOf(clean, dropped, added);
  }
  const best = largest(others.filter(({ found }) => found.size >= ENOUGH * target.names.length));
  if (best === undefined || best.found.size <= plain!.found.size) return matchOf(clean, dropped, plain!);
  // The same arrays can be reached in two ways: `a.` is dropped, or `a.b.` is and `b.` put back.
  const differs = ({ found }: Candidate, from: Candidate): number =>
    [...found].filter(([own, name]) => from.found.get(own) !== name).length;
  const rivals = others.filter((other) => differs(other, best) >= RIVAL * best.found.size);
  const whole = rivals.filter((a) => !rivals.some((b) => b.found.size > a.found.size && differs(a, b) === 0));
  if (rivals.length > 0) throw ambiguous(at, [best, ...whole]);
  return matchOf(clean, dropped, best);
}

const largest = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.reduce<Candidate | undefined>(
    (a, b) => (a !== undefined && a.found.size >= b.found.size ? a : b),
    undefined,
  );

function countPlain({ find }: NameTarget, shapes: ReadonlyMap<string, Shape>): number {
  return new Set([...shapes].map(([name, shape]) => find(name, shape)).filter((own) => own !== undefined)).size;
}

/** Names without the parts that wrappers add; two that would become one stay as they are. */
function cleanNames(
  own: readonly string[],
  names: readonly string[],
): { clean: ReadonlyMap<string, string>; dropped: ReadonlySet<string> } {
  const parts = new Set(own.flatMap((name) => name.split(".")));
  const wrappers = WRAPPERS.filter((wrapper) => !parts.has(wrapper));
  const dropped = new Set<string>();
  const clean = new Map(names.map((name) => [name, dropSegments(name, wrappers, dropped)]));
  const unique = new Set(clean.values()).size === clean.size;
  return unique ? { clean, dropped } : { clean: new Map(names.map((name) => [name, name])), dropped: new Set() };
}

/**
 * Every prefix after which names of the net stand, and the beginning that they lack there; names as they are come
 * first.
 */
function candidatesOf(
  { names, find }: NameTarget,
  shapes: ReadonlyMap<string, Shape>,
  clean: ReadonlyMap<string, string>,
): Candidate[] {
  const plain = { prefix: "", added: "", found: new Map<string, string>() };
  const candidates = new Map<string, Candidate>([["\n", plain]]);
  const beginnings = ["", ...backbones(names)];
  for (const [name, shape] of shapes) {
    const full = clean.get(name)!;
    for (let at = 0, parts = 0; at >= 0 && parts <= LONGEST; at = nextPart(full, at), parts++) {
      for (const added of beginnings) {
        const own = find(added + full.slice(at), shape);
        if (own === undefined) continue;
        const prefix = full.slice(0, at);
        const key = `${prefix}\n${added}`;
        const candidate = candidates.get(key) ?? { prefix, added, found: new Map<string, string>() };
        candidate.found.set(own, name);
        candidates.set(key, candidate);
      }
    }
  }
  return [...candidates.values()];
}

/** Where the next part of a name begins; negative after the last one. */
function nextPart(name: string, at: number): number {
  const dot = name.indexOf(".", at);
  return dot < 0 ? -1 : dot + 1;
}

/** First parts that half of the names begin with. */
function backbones(names: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const name of names) {
    const first = name.slice(0, name.indexOf(".") + 1);
    counts.set(first, (counts.get(first) ?? 0) + 1);
  }
  return [...counts].filter(([first, count]) => first !== "" && 2 * count >= names.length).map(([first]) => first);
}

function matchOf(
  clean: ReadonlyMap<string, string>,
  parts: ReadonlySet<string>,
  { prefix, added, found }: Candidate,
): NameMatch {
  const rename = (name: string): string | undefined => {
    const full = clean.get(name) ?? name;
    return full.startsWith(prefix) ? added + full.slice(prefix.length) : undefined;
  };
  return { rename, dropped: [...parts, ...(prefix === "" ? [] : [prefix])], added, matched: found.size };
}

/** The prefix that the caller chose, as names without the parts of wrappers have it. */
function prefixOf(at: string, prefix: string, clean: ReadonlyMap<string, string>): string {
  const dotted = prefix.endsWith(".") ? prefix : `${prefix}.`;
  const names = [...clean.values()];
  const forms = [dotted, dropSegments(`${dotted}x`, WRAPPERS, new Set()).slice(0, -1)];
  const found = forms.find((form) => names.some((name) => name.startsWith(form)));
  if (found !== undefined) return found;
  const firsts = new Set([...clean.keys()].map((name) => name.slice(0, name.indexOf(".") + 1)));
  throw new TensorError({
    code: "invalid-argument",
    message: `${at}: no name begins with ${JSON.stringify(brief(dotted))}; names begin with ${showSome([...firsts].filter(Boolean))}`,
    fix: "pass the beginning that the names of the net have in the file",
  });
}

function ambiguous(at: string, candidates: readonly Candidate[]): TensorError {
  const prefixes = [...new Set(candidates.map(({ prefix }) => prefix))];
  const shown = candidates.map(({ prefix, found }) => `${JSON.stringify(prefix)} (${found.size} arrays)`);
  return new TensorError({
    code: "ambiguous-prefix",
    message: `${at}: the names of the net stand below several prefixes: ${showSome(shown)}`,
    fix: { code: `choose one: pass { prefix: ${JSON.stringify(brief(prefixes.at(-1)!))} }, for example` },
    details: { prefixes: prefixes.map((prefix) => brief(prefix)) },
  });
}

/** A name without these parts between its dots; those that were there are added to `dropped`, each with its dot. */
export function dropSegments(name: string, segments: readonly string[], dropped: Set<string>): string {
  if (!segments.some((segment) => name.includes(`${segment}.`))) return name;
  const parts = name.split(".");
  const isDropped = (part: string, i: number): boolean => i < parts.length - 1 && segments.includes(part);
  for (const part of parts.filter(isDropped)) dropped.add(`${part}.`);
  return parts.filter((part, i) => !isDropped(part, i)).join(".");
}
