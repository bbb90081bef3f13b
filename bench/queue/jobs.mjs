import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { median } from "../lib/median.mjs";
import { endWorker, makeImages, memoryOf, processOf, run, sleep, startWorker } from "./processes.mjs";

const MIB = 2 ** 20;
/** Images that the command alone predicts beside it. */
const ALONE = 10_000;

/** What `look` returns, every so many milliseconds until `done` is. */
async function sample(done, every, look) {
  const samples = [];
  let isDone = false;
  done.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    samples.push(await look());
    await sleep(every);
  }
  await done;
  return samples.filter((each) => each !== undefined);
}

/** Milliseconds of processor time an image between the first and the last of these samples. */
const msPerImage = (samples) => {
  const [first, last] = [samples[0], samples.at(-1)];
  return last === undefined || last.done === first.done
    ? Number.NaN
    : (1000 * (last.seconds - first.seconds)) / (last.done - first.done);
};

/** What is warm, and before the end. */
const middleOf = (samples, all) => samples.filter(({ done }) => done > all / 10 && done < 0.9 * all);

/** Bytes of the server a job that waits or is at work, as `MEMORY USAGE` tells them of its keys and lists. */
async function bytesPerJob(redis, id) {
  const usage = (key) => redis.memory("USAGE", key, "SAMPLES", 0);
  const jobs = [];
  for await (const keys of redis.scanStream({ match: `fcn:work:${id}-*`, count: 1000 })) {
    jobs.push(...(await Promise.all(keys.map(async (key) => ({ key, bytes: await usage(key) })))));
  }
  const lists = await Promise.all([`fcn:run:${id}:open`, "fcn:work:wait", "fcn:work:active"].map(usage));
  const bytes = [...lists, ...jobs.map((job) => job.bytes)].reduce((sum, each) => sum + (each ?? 0), 0);
  return bytes / jobs.filter((job) => job.bytes !== null && !job.key.endsWith(":lock")).length;
}

/** Jobs of one tiny image each. */
export async function manyJobs({ address, redis, root, jobs, concurrency }) {
  await makeImages(join(root, "first"), 100, [16, 16]);
  await makeImages(join(root, "tiny"), jobs, [16, 16]);
  const given = ["--weights", join(root, "one.safetensors"), "--save", "labels"];
  const queued = (images, out) => {
    const where = ["--out", out, "--queue", address, "--chunk", "1"];
    return run(["predict", join(root, images), ...given, ...where], `${out}.txt`);
  };
  const worker = await startWorker(address, root, "--concurrency", String(concurrency));
  // The server has its scripts and buffers afterwards.
  await queued("first", join(root, "begun")).done;
  const before = await memoryOf(redis);
  const out = join(root, "many");
  const asking = queued("tiny", out);
  while (!/run [0-9a-f]{12}/.test(asking.stderr)) await Promise.race([sleep(50), asking.done]);
  const [id] = /(?<=run )[0-9a-f]{12}/.exec(asking.stderr);
  const start = performance.now();
  const perJob = [];
  let asked = 0;
  const samples = await sample(asking.done, 1000, async () => {
    const [open, next] = await Promise.all([redis.hlen(`fcn:run:${id}:open`), redis.hget(`fcn:run:${id}`, "next")]);
    const bytes = (await memoryOf(redis)) - before;
    if (open > 100) perJob.push(await bytesPerJob(redis, id));
    if (asking.child.exitCode === null) asked = processOf(asking.child.pid).mostBytes;
    return { open, done: Number(next) - open, redis: bytes, ...processOf(worker.child.pid) };
  });
  const seconds = (performance.now() - start) / 1000;
  const { mostBytes: worked } = processOf(worker.child.pid);
  await endWorker(worker);
  const middle = middleOf(samples, jobs);
  const quarter = Math.ceil(middle.length / 4);
  const quarters = (of) => [middle.slice(0, quarter), middle.slice(-quarter)].map((part) => median(part.map(of)) / MIB);
  return {
    jobs,
    concurrency,
    ...(await resultsIn(out)),
    perSecond: jobs / seconds,
    hostMs: msPerImage(middle),
    aloneMs: await hostTimeAlone(root, Math.min(jobs, ALONE), given),
    open: median(middle.map(({ open }) => open)),
    bytesPerOpen: median(perJob.length > 0 ? perJob : [Number.NaN]),
    redis: quarters((each) => each.redis),
    worker: quarters((each) => each.bytes),
    mostOfWorker: worked / MIB,
    mostOfAsking: asked / MIB,
  };
}

/** The results in a folder, and those of them that its list names with their sizes and digests. */
async function resultsIn(folder) {
  const files = (await readdir(folder)).filter((name) => name.endsWith(".png"));
  const listed = JSON.parse(await readFile(join(folder, ".fcn-predict.json"), "utf8")).files;
  return { files: files.length, listed: files.filter((name) => listed[name]?.sha256).length };
}

/** Milliseconds of processor time an image of `fcn predict` without a queue. */
async function hostTimeAlone(root, images, given) {
  const [folder, out] = [join(root, "fewer"), join(root, "alone")];
  await makeImages(folder, images, [16, 16]);
  const alone = run(["predict", folder, ...given, "--out", out, "--json"]);
  const samples = await sample(alone.done, 500, async () => {
    const done = (await readdir(out).catch(() => [])).length;
    return alone.child.exitCode === null ? { done, ...processOf(alone.child.pid) } : undefined;
  });
  return msPerImage(middleOf(samples, images));
}
