/** Do two libraries compute the same thing? */

/**
 * The largest difference of two host tensors relative to the largest magnitude in `expected`; infinite when lengths
 * differ, a value is not a number, or all that is expected is zero, which shows nothing.
 */
function relativeError(actual, expected) {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(difference)) return Number.POSITIVE_INFINITY;
    worst = Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return scale === 0 ? Number.POSITIVE_INFINITY : worst / scale;
}

/** The relative error of every named output. An output that one side lacks counts as infinite. */
export function compareOutputs(ours, theirs) {
  const errors = {};
  for (const name of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const [a, b] = [ours[name], theirs[name]];
    errors[name] = a && b ? relativeError(a.data, b.data) : Number.POSITIVE_INFINITY;
  }
  return errors;
}
