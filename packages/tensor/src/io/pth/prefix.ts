import { dropSegments } from "../../nn/matchNames.js";

/** Inserted by wrappers before the names of the net inside: torch.compile, FSDP, activation checkpointing. */
const SEGMENTS = ["_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"];
/** Added by DataParallel and AveragedModel. A net may also use it in the middle of its own names. */
const MODULE = "module.";
/** AveragedModel's counter. */
const COUNT = "n_averaged";

export interface Unwrapped<T> {
  readonly named: ReadonlyMap<string, T>;
  /** Parts that were dropped from names. */
  readonly dropped: readonly string[];
  readonly ignored: readonly string[];
}

/** The same values with names as they were before wrapping. If two names would become equal, all stay unchanged. */
export function stripWrappers<T>(named: ReadonlyMap<string, T>, unwrap = true): Unwrapped<T> {
  const asTheyAre = { named, dropped: [], ignored: [] };
  if (!unwrap) return asTheyAre;
  const dropped = new Set<string>();
  const clean = [...named].map(([name, value]) => [dropSegments(name, SEGMENTS, dropped), value] as const);
  const own = clean.filter(([name]) => name !== COUNT);
  let begin = 0;
  while (own.length > 0 && own.every(([name]) => name.startsWith(MODULE, begin))) begin += MODULE.length;
  if (begin > 0) dropped.add(MODULE);
  const result = new Map((begin > 0 ? own : clean).map(([name, value]) => [name.slice(begin), value]));
  const ignored = begin > 0 && own.length < clean.length ? [COUNT] : [];
  return result.size + ignored.length < named.size ? asTheyAre : { named: result, dropped: [...dropped], ignored };
}
