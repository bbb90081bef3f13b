/** Measures one row: checks first that both sides compute the same, then times them in turn. */
import { compareOutputs } from "./compare.mjs";
import { interleave } from "./timing.mjs";

async function check(row, ours, tfjs, opened) {
  const mine = await ours.download(opened.ours.step);
  const theirs = await tfjs.download(opened.tfjs.step, opened.kinds);
  const errors = compareOutputs(mine, theirs);
  if (opened.state) Object.assign(errors, compareOutputs(await opened.state.ours(), await opened.state.tfjs()));
  const worst = Math.max(...Object.values(errors));
  return { errors, worst, agree: worst <= row.tolerance };
}

/**
 * @returns {Promise<object>} title, medians and single times (ascending) in ms, `ratio` = tfjs / ours, and how far the
 *   outputs differ (`agree` is false where they differ by more than the row's tolerance: such a row counts for nothing)
 */
export async function measureRow(row, ours, tfjs, repeats) {
  const opened = await row.open(ours, tfjs);
  try {
    const { errors, worst, agree } = await check(row, ours, tfjs, opened);
    const times = await interleave(
      { tfjs: () => tfjs.run(opened.tfjs.step), ours: () => ours.run(opened.ours.step) },
      repeats,
    );
    return {
      title: row.title,
      group: row.group,
      ...(row.note ? { note: row.note } : {}),
      oursMs: times.ours.median,
      tfjsMs: times.tfjs.median,
      ratio: times.tfjs.median / times.ours.median,
      ...(row.flop ? { oursGflops: row.flop / times.ours.median / 1e6 } : {}),
      repeats: times.ours.times.length,
      times: { ours: times.ours.times, tfjs: times.tfjs.times },
      relativeError: worst,
      errors,
      agree,
    };
  } finally {
    ours.dispose(opened.ours.owned);
    tfjs.dispose(opened.tfjs.owned);
  }
}
