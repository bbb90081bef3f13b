/** What the scores of several seeds say of two libraries. */

/** Mean and span (largest less smallest) of numbers. */
export function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, span: Math.max(...values) - Math.min(...values) };
}

/**
 * Two lists of scores, one a seed, beside one another: they agree if their means lie no further apart than the seeds of
 * one of them do. Of one seed alone that cannot be said, and `agree` is undefined.
 */
export function compare(ours, theirs) {
  const [a, b] = [spread(ours), spread(theirs)];
  const difference = a.mean - b.mean;
  const agree = ours.length > 1 ? Math.abs(difference) <= Math.max(a.span, b.span) : undefined;
  return { ours: a, theirs: b, difference, differences: ours.map((value, i) => value - theirs[i]), agree };
}
