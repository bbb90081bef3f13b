/** What torch.nn.DataParallel and torch.compile put before the names of the net that they wrap. */
const WRAPPERS = ["module.", "_orig_mod."];

/** The same values without the prefixes of wrappers that every name has. */
export function stripWrappers<T>(named: ReadonlyMap<string, T>, unwrap = true): ReadonlyMap<string, T> {
  const names = [...named.keys()];
  if (!unwrap || names.length === 0) return named;
  let length = 0;
  const next = () => WRAPPERS.find((wrapper) => names.every((name) => name.startsWith(wrapper, length)));
  for (let prefix = next(); prefix !== undefined; prefix = next()) length += prefix.length;
  return new Map([...named].map(([name, value]) => [name.slice(length), value]));
}
