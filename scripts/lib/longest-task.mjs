/** Runs `work` while Chromium traces itself, and returns the events of the trace. */
async function traced(page, categories, work) {
  const client = await page.context().newCDPSession(page);
  const traceEvents = [];
  client.on("Tracing.dataCollected", ({ value }) => traceEvents.push(...value));
  const ended = new Promise((resolve) => client.once("Tracing.tracingComplete", resolve));
  const traceConfig = { recordMode: "recordAsMuchAsPossible", includedCategories: categories };
  await client.send("Tracing.start", { transferMode: "ReportEvents", traceConfig });
  await work();
  await client.send("Tracing.end");
  await ended;
  await client.detach();
  return traceEvents;
}

/**
 * The longest task of the main threads of the pages while `work` runs, in milliseconds on the processor, so that other
 * programs of this machine do not count.
 *
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<unknown>} work
 * @returns {Promise<number>}
 */
export async function longestTask(page, work) {
  const traceEvents = await traced(page, ["toplevel"], work);
  const threads = traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain");
  const mains = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid }) => ph === "X" && name.endsWith("RunTask") && mains.has(`${pid} ${tid}`),
  );
  if (tasks.length === 0) throw new Error("the trace holds no task of a page's main thread");
  return tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1000;
}
