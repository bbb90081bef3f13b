import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { endWorker, run, sleep, startWorker } from "./processes.mjs";

/** Kills a worker at random times, starts another, and counts results. */
export async function randomKills({ address, root, kills, images }) {
  const out = join(root, "killed");
  const flags = ["--patience", "2"];
  const workers = [await startWorker(address, root, ...flags), await startWorker(address, root, ...flags)];
  const given = ["predict", join(root, "victims"), "--weights", join(root, "small.safetensors"), "--save", "labels"];
  const asking = run([...given, "--out", out, "--queue", address, "--chunk", "1", "--json"]);
  let done = 0;
  let isOver = false;
  asking.done.finally(() => {
    isOver = true;
  });
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
  while (done < kills && !isOver) {
    // A worker that is killed in its first moments has the chunk again that the last one died with.
    await sleep(1500 + 1500 * random());
    const at = Math.floor(random() * workers.length);
    await endWorker(workers[at], "SIGKILL");
    done++;
    workers[at] = await startWorker(address, root, ...flags);
  }
  // An image that is put aside is counted, and fails the command.
  await asking.done.catch(() => {});
  const { reports } = JSON.parse(asking.stdout);
  for (const worker of workers) await endWorker(worker);
  const names = new Set(reports.map(({ input }) => input));
  const files = (await readdir(out)).filter((name) => name.endsWith(".png"));
  const failed = reports.filter(({ error }) => error).length;
  return {
    kills: done,
    images,
    results: names.size,
    doubled: reports.length - names.size,
    files: files.length,
    failed,
  };
}
