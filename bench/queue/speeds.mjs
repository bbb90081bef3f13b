import { join } from "node:path";
import { median } from "../lib/median.mjs";
import { endWorker, run, sleep, startWorker } from "./processes.mjs";

/** Images per second alone and with workers, without the start of any of them. */
export async function speeds({ address, root, images, repeats }) {
  const given = ["predict", join(root, "images"), "--weights", join(root, "small.safetensors"), "--save", "labels"];
  let n = 0;
  const alone = async () =>
    JSON.parse((await run([...given, "--out", join(root, `out${n++}`), "--json"]).done).stdout).seconds;
  const queued = async () => {
    const asking = run([...given, "--out", join(root, `out${n++}`), "--queue", address, "--json"]);
    while (!/run [0-9a-f]{12}/.test(asking.stderr)) await sleep(2);
    const start = performance.now();
    await asking.done;
    return (performance.now() - start) / 1000;
  };
  const seconds = { alone: [], one: [], two: [] };
  const workers = [];
  for (let i = 0; i < repeats + 1; i++) {
    const times = { alone: await alone() };
    workers.push(await startWorker(address, root));
    times.one = await queued();
    workers.push(await startWorker(address, root));
    times.two = await queued();
    for (const worker of workers.splice(0)) await endWorker(worker);
    // The first round fills caches.
    if (i > 0) for (const name of Object.keys(seconds)) seconds[name].push(times[name]);
  }
  return Object.fromEntries(Object.entries(seconds).map(([name, all]) => [name, images / median(all)]));
}
