const short = (text) => text.replace(/\s+/g, " ").slice(0, 160);

/** One line for a mutant. */
export const describe = ({ file, at, from, to }) => `${file}:${at}  ${short(from)}  ->  ${short(to)}`;

/**
 * Whether a mutant is the one that an entry of equivalent.json names. Lines are not numbered there, since they move.
 */
const isEntry = (entry, { file, line, from, to }) =>
  file.endsWith(entry.file) &&
  short(from) === entry.from &&
  short(to) === entry.to &&
  (entry.line === undefined || entry.line === line);

/**
 * The figures of an area: the mutants, those caught, those that change nothing, those that survived, and the share of
 * the others that were caught, with how many there were to draw from where not all are planted; the survivors; and the
 * entries of these files that name no mutant, or one that is caught.
 */
export function tally(mutants, equivalent) {
  const files = new Set(mutants.map(({ file }) => file));
  const entries = equivalent.filter(({ file }) => [...files].some((path) => path.endsWith(file)));
  const valid = mutants.filter(({ invalid }) => !invalid);
  const missed = valid.filter(({ caught }) => !caught);
  const isEquivalent = (mutant) => entries.some((entry) => isEntry(entry, mutant));
  const survivors = missed.filter((mutant) => !isEquivalent(mutant));
  const stale = entries
    .filter((entry) => !missed.some((mutant) => isEntry(entry, mutant)))
    .map(({ file, from, to }) => `equivalent.json: no mutant survives in ${file} that makes "${to}" of "${from}"`);
  const caught = valid.length - missed.length;
  const counted = valid.length - (missed.length - survivors.length);
  const sampledFrom = new Map(mutants.map((mutant) => [mutant.file, mutant.sampledFrom ?? 0]));
  const all = [...sampledFrom.values()].reduce((sum, count) => sum + count, 0);
  const row = {
    mutants: mutants.length,
    ...(all > 0 ? { sampledFrom: all } : {}),
    ...(valid.length < mutants.length ? { invalid: mutants.length - valid.length } : {}),
    caught,
    equivalent: missed.length - survivors.length,
    survived: survivors.length,
    percent: counted === 0 ? 100 : Math.floor((1000 * caught) / counted) / 10,
  };
  return { row, survivors, stale };
}
