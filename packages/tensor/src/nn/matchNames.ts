import { brief, invalidArgument, showSome, TensorError } from "../plain/errors.js";

type Shape = readonly number[];

/** The names in a net. */
export interface NameTarget {
  readonly names: readonly string[];
  /** The net's name for a name in a file; undefined if it has none, or if the shape does not fit. */
  find(name: string, shape: Shape): string | undefined;
}

/** How to turn the names in a file into those of a net. */
export interface NameMatch {
  /** Undefined for an array that is not part of the net. */
  rename(name: string): string | undefined;
  /** What to drop from names: a prefix, and parts that wrappers add. */
  readonly dropped: readonly string[];
  /** What to put before names; empty if nothing. */
  readonly added: string;
  /** Number of the net's arrays that the file has, by name and shape. */
  readonly matched: number;
}

/** Parts that PyTorch's wrappers insert into names. Dropped only if the net has no such part itself. */
const WRAPPERS = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "module"];
/** A prefix must find at least this fraction of the net's arrays. */
const ENOUGH = 1 / 3;
/** Another prefix is an alternative if it finds at least this fraction of the arrays that the best one finds. */
const RIVAL = 1 / 2;

/** The most parts that a prefix may have. */
const LONGEST = 16;

interface Candidate {
  readonly prefix: string;
  readonly added: string;
  /** Names in the net, each with its name in the file. */
  readonly found: Map<string, string>;
}

/**
 * Finds how names in a file differ from those of a net: not at all, by the prefix of a module that holds the net
 * (`model.`, `student.`), or by a beginning that the file lacks, such as `backbone.`. Parts that wrappers add are
 * dropped everywhere. Unchanged names win unless something else finds more of the net's arrays by name and shape.
 *
 * @param at the beginning of messages
 * @param prefix the caller's choice; "" for unchanged names
 *
 * Throws `ambiguous-prefix` if several prefixes fit, and `invalid-argument` if no name has the chosen prefix.
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
  // There can be two ways to the same arrays: drop `a.`, or drop `a.b.` and put `b.` back.
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

/** Names without the parts that wrappers add. Two names that would become the same stay unchanged. */
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
 * Every prefix that is followed by names of the net, with the beginning that these lack; unchanged names come first.
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

/** Where the next part of a name begins; negative after the last part. */
function nextPart(name: string, at: number): number {
  const dot = name.indexOf(".", at);
  return dot < 0 ? -1 : dot + 1;
}

/** First parts that at least half of the names begin with. */
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

/** The caller's prefix without the parts that wrappers add. */
function prefixOf(at: string, prefix: string, clean: ReadonlyMap<string, string>): string {
  const dotted = prefix.endsWith(".") ? prefix : `${prefix}.`;
  const names = [...clean.values()];
  const forms = [dotted, dropSegments(`${dotted}x`, WRAPPERS, new Set()).slice(0, -1)];
  const found = forms.find((form) => names.some((name) => name.startsWith(form)));
  if (found !== undefined) return found;
  const firsts = new Set([...clean.keys()].map((name) => name.slice(0, name.indexOf(".") + 1)));
  throw invalidArgument(
    `${at}: no name begins with ${JSON.stringify(brief(dotted))}; names begin with ${showSome([...firsts].filter(Boolean))}`,
    "pass the prefix that the names of the net have in the file",
  );
}

function ambiguous(at: string, candidates: readonly Candidate[]): TensorError {
  const prefixes = [...new Set(candidates.map(({ prefix }) => prefix))];
  const shown = candidates.map(({ prefix, found }) => `${JSON.stringify(prefix)} (${found.size} arrays)`);
  return new TensorError({
    code: "ambiguous-prefix",
    message: `${at}: the names of the net are found under several prefixes: ${showSome(shown)}`,
    fix: { code: `choose one: pass { prefix: ${JSON.stringify(brief(prefixes.at(-1)!))} }, for example` },
    details: { prefixes: prefixes.map((prefix) => brief(prefix)) },
  });
}

/** Removes these parts from a name, and adds each one found, with its dot, to `dropped`. */
export function dropSegments(name: string, segments: readonly string[], dropped: Set<string>): string {
  if (!segments.some((segment) => name.includes(`${segment}.`))) return name;
  const parts = name.split(".");
  const isDropped = (part: string, i: number): boolean => i < parts.length - 1 && segments.includes(part);
  for (const part of parts.filter(isDropped)) dropped.add(`${part}.`);
  return parts.filter((part, i) => !isDropped(part, i)).join(".");
}
