/** What torch.nn.DataParallel and torch.compile put before the names of the net that they wrap. */
const WRAPPERS = ["module.", "_orig_mod."];

/** The same values without the prefix of a wrapper, as often as every name has one. */
export function stripWrappers<T>(named: ReadonlyMap<string, T>, unwrap = true): ReadonlyMap<string, T> {
  const names = [...named.keys()];
  const prefix = unwrap ? WRAPPERS.find((wrapper) => names.every((name) => name.startsWith(wrapper))) : undefined;
  if (prefix === undefined || names.length === 0) return named;
  return stripWrappers(new Map([...named].map(([name, value]) => [name.slice(prefix.length), value])));
}
