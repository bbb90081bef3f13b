import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TensorError } from "@fcn/tensor";
import { expect, it } from "vitest";
import { openPlace } from "../../../../../packages/fcn/src/places/open.js";
import { pathIn, shownError, withRunFolder } from "../../../../../packages/fcn/src/queue/kinds/sweep/place.js";
import { planTrials } from "../../../../../packages/fcn/src/queue/kinds/sweep/plan.js";
import { beginRecord } from "../../../../../packages/fcn/src/queue/kinds/sweep/record.js";
import type { SweepTask } from "../../../../../packages/fcn/src/queue/kinds/sweep/task.js";
import { bytes, namesIn, setEnv, text, useServers } from "../../../../support/places.js";
import { temporaryFolder } from "../../../data/trees.js";

const servers = useServers();
const root = await temporaryFolder("fcn-sweep-place");

const checkpoint = (step: number): string => `checkpoint/step-${String(step).padStart(9, "0")}.safetensors`;

/** Writes files of a run, each with its name and a word in it. */
async function write(folder: string, word: string, ...names: string[]): Promise<void> {
  await mkdir(join(folder, "checkpoint"), { recursive: true });
  for (const name of names) await writeFile(join(folder, name), `${name} ${word}`);
}

/** What was put into the bucket meanwhile, in order. */
async function putBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = (await servers.s3.settledLog()).length;
  await work();
  const found = (await servers.s3.settledLog()).slice(before).matchAll(/ t\/(\S+)\?x-id=PutObject/g);
  return [...found].map(([, name]) => name as string);
}

it("a run in a folder is trained in it", async () => {
  const path = await withRunFolder(root, "a", {}, async (folder) => {
    expect(folder.kept).toBeUndefined();
    return folder.path;
  });
  expect(path).toBe(join(root, "a"));
});

it("a run in a bucket is fetched, and written back with its checkpoint last, only what has changed", async () => {
  const place = await openPlace("s3://bucket/sweep/a");
  await place.write("weights.safetensors", bytes("left by a worker that died before its first checkpoint"));
  let path = "";
  const first = await putBy(() =>
    withRunFolder("s3://bucket/sweep", "a", {}, async (folder) => {
      path = folder.path;
      expect(await readdir(path)).toEqual([]);
      await write(path, "first", "weights.safetensors", "best.safetensors", "run.lock", checkpoint(2));
      await folder.kept?.();
      expect(await namesIn(place)).toContain(checkpoint(2));
      await write(path, "then", "weights.safetensors", checkpoint(4));
    }),
  );
  expect(existsSync(path)).toBe(false);
  const names = ["best.safetensors", "weights.safetensors", checkpoint(2), "weights.safetensors", checkpoint(4)];
  expect(first).toEqual(names.map((name) => `sweep/a/${name}`));
  expect(await namesIn(place)).toEqual(["best.safetensors", checkpoint(4), "weights.safetensors"]);
  const second = await putBy(() =>
    withRunFolder("s3://bucket/sweep", "a", {}, async (folder) => {
      expect((await readdir(folder.path)).sort()).toEqual(["best.safetensors", "checkpoint", "weights.safetensors"]);
      await write(folder.path, "last", "metrics.csv");
    }),
  );
  expect(second).toEqual(["sweep/a/metrics.csv"]);
  expect(text(await place.read("weights.safetensors"))).toBe("weights.safetensors then");
});

it("a worker that was taken for dead leaves alone what another has written since", async () => {
  const place = await openPlace("s3://bucket/sweep/b");
  await withRunFolder("s3://bucket/sweep", "b", {}, async ({ path }) => {
    await write(path, "dead", "weights.safetensors", checkpoint(6));
    await place.write("weights.safetensors", bytes("of the other"));
    await place.write(checkpoint(8), bytes("of the other"));
  });
  expect(await namesIn(place)).toEqual([checkpoint(8), "weights.safetensors"]);
  expect(text(await place.read("weights.safetensors"))).toBe("of the other");
});

it("a bucket that is away at the end is waited for, on the way it is not, and an error says where the run belongs", async () => {
  const place = await openPlace("s3://bucket/sweep/c");
  const away = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" };
  const failed = withRunFolder("s3://bucket/sweep", "c", {}, async (folder) => {
    setEnv(away);
    await write(folder.path, "kept", "weights.safetensors", checkpoint(1));
    await folder.kept?.();
    setTimeout(() => setEnv(servers.s3.env), 1000);
    const fix = `look into ${folder.path}`;
    throw shownError(new TensorError({ code: "diverged", message: `${folder.path}: it diverged`, fix }), folder);
  });
  const shown = pathIn("s3://bucket/sweep", "c");
  await expect(failed).rejects.toMatchObject({ message: `${shown}: it diverged`, fix: `look into ${shown}` });
  expect(await namesIn(place)).toEqual([checkpoint(1), "weights.safetensors"]);
});

it("a bucket that is away at the end ends it where the worker is to end", async () => {
  const stop = new AbortController();
  const lost = withRunFolder("s3://bucket/sweep", "d", { signal: stop.signal }, async ({ path }) => {
    await write(path, "lost", "weights.safetensors", checkpoint(1));
    setEnv({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
    stop.abort();
  });
  await expect(lost).rejects.toMatchObject({ code: "no-network" });
});

it("a sweep replaces no net in a bucket that it did not train", async () => {
  const taskIn = (out: string, folds?: number): SweepTask => ({
    ...{ data: "data", out, shown: out, open: {}, settings: { steps: 4 }, budgets: [null], eta: 2 },
    ...{ trials: planTrials({ learningRate: [1, 2] }), ...(folds && { folds }) },
  });
  for (const [out, net, folds] of [
    ["s3://bucket/mine", "lr=2/weights.safetensors", undefined],
    ["s3://bucket/folds", "lr=1/fold-2/best.safetensors", 2],
  ] as const) {
    const place = await openPlace(out);
    for (const name of ["other.txt", "lr=3/weights.safetensors", "lr=1/other/best.safetensors", net]) {
      await place.write(name, bytes("mine"));
    }
    await expect(beginRecord(taskIn(out, folds), { resume: true })).rejects.toMatchObject({
      ...{ code: "run-exists", message: `sweep: ${out}/${net} is a net, beside which is no checkpoint to go on from` },
    });
    expect(await namesIn(place)).not.toContain("sweep.json");
    await place.write(net.replace(/[^/]+$/, checkpoint(2)), bytes("of a run"));
    await beginRecord(taskIn(out, folds), { resume: true });
    // What a worker left that died before its first checkpoint is of the sweep itself.
    await place.write("lr=2/fold-1/best.safetensors", bytes("left"));
    await beginRecord(taskIn(out, folds), { resume: true });
    await place.write("sweep.json", bytes("{"));
    await expect(beginRecord(taskIn(out, folds), { resume: true })).rejects.toMatchObject({
      ...{ code: "corrupt-file", message: expect.stringContaining(`${out}/sweep.json: it is not JSON`) },
    });
  }
});
