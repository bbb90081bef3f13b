import { existsSync } from "node:fs";
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TrialReport } from "../../../packages/fcn/src/queue/kinds/sweep/record.js";
import * as store from "../../../packages/fcn/src/queue/runs/store.js";
import { tendOnce } from "../../../packages/fcn/src/queue/runs/tend.js";
import { connect } from "../../../packages/fcn/src/queue/server/connection.js";
import type { SweepOptions } from "../../../packages/fcn/src/queue/sweep.js";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { endWorkers, FcnProcess, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { readEvents } from "../../support/tensorboard.js";
import { temporaryFolder, writeTree } from "../data/trees.js";
import { writeTinyData } from "../training/tinyData.js";
import { tinyRun } from "../training/tinyRun.js";

const root = await temporaryFolder("fcn-queue-sweep");
const data = await writeTinyData(join(root, "data"), 8);
const alone = join(root, "alone");

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** Three rates that learn, and one that diverges, in two folds, of which halving trains one to the end. */
function plan(out: string): SweepOptions {
  const { learningRate: _, device: _device, ...shared } = tinyRun(data, device);
  return {
    ...{ ...shared, data, out, steps: 12, folds: 2, schedule: "poly", optimizer: "adamw" },
    ...{ axes: { learningRate: [1e-3, 0.02, 1e9, 0.01] }, halving: { eta: 2 } },
  };
}

/** What a look at a run does besides adding chunks, which is nothing before these are done. */
const tending = { advance: () => Promise.reject(new Error("done")), cleanUp: () => Promise.resolve() };

/** The best trial of that. */
let winner = "";
const record = async (out: string) => JSON.parse(await readFile(join(out, "sweep.json"), "utf8"));
/** What is in the record besides times. */
const lasting = async (out: string) =>
  JSON.parse(JSON.stringify(await record(out), (key, value) => (key === "seconds" ? undefined : value)));

async function expectSameRun(run: string, other: string): Promise<void> {
  for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
    expect((await readFile(join(run, file))).equals(await readFile(join(other, file))), file).toBe(true);
  }
}

describe("sweep", () => {
  it("trains on what is best, to the bits of a whole run, and keeps what became of the others", async () => {
    const told: string[] = [];
    const summary = await fcn.queue.sweep({
      ...plan(alone),
      device,
      onTrial: ({ name, steps, error }) => void told.push(`${name} ${error?.code ?? steps}`),
    });
    expect(summary.rungs.map(({ budget, trials }) => [budget, trials.length])).toEqual([
      [3, 4],
      [6, 2],
      [null, 1],
    ]);
    expect(summary.trials.map(({ state, rung, steps }) => `${state} ${rung} ${steps}`)).toEqual([
      "complete 3 12",
      "pruned 2 6",
      "pruned 1 3",
      expect.stringMatching(/^failed 1 /),
    ]);
    const [best, , , failed] = summary.trials as [TrialReport, TrialReport, TrialReport, TrialReport];
    winner = best.name;
    expect(failed).toMatchObject({ name: "lr=1000000000", error: { code: "diverged" } });
    const [a, b] = best.folds as [number, number];
    expect(best.meanIU).toBeCloseTo((a + b) / 2, 12);
    expect(best.spread).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
    expect(told.slice(0, 4)).toEqual(["lr=0.001 3", "lr=0.02 3", "lr=1000000000 diverged", "lr=0.01 3"]);
    expect(told.slice(4).map((line) => line.split(" ")[1])).toEqual(["6", "6", "12"]);
    expect((await readdir(alone)).sort()).toEqual([
      ...["lr=0.001", "lr=0.01", "lr=0.02", "lr=1000000000", "report.html", "sweep.json"],
    ]);
    const html = await readFile(join(alone, "report.html"), "utf8");
    for (const text of ["4 trials on", "Ranking", "pruned", "Trials that failed", `>${winner}/fold-1<`, "Mean IU"]) {
      expect(html).toContain(text);
    }
    const { validateEvery } = (await record(alone)).plan.settings;
    expect(validateEvery).toBe(3);
    const { axes: _a, halving: _h, folds: _f, ...shared } = plan(join(root, "folds"));
    await fcn.trainFolds({ ...(shared as fcn.TrainRunOptions), ...best.settings, validateEvery, folds: 2, device });
    for (const fold of ["fold-1", "fold-2"]) await expectSameRun(join(alone, winner, fold), join(root, "folds", fold));
  });

  it("goes on where it was stopped, and with nothing else in its folder", async () => {
    const out = join(root, "stopped");
    const stop = new AbortController();
    let trials = 0;
    const onTrial = () => {
      if (++trials === 5) stop.abort();
    };
    const whole = { ...plan(out), device };
    await expect(fcn.queue.sweep({ ...whole, onTrial, signal: stop.signal })).rejects.toMatchObject({
      code: "aborted",
      commandFix: expect.stringContaining("--resume"),
    });
    await expect(fcn.queue.sweep(whole)).rejects.toMatchObject({
      code: "run-exists",
      commandFix: `go on with it (--resume), or name another folder (--out)`,
    });
    const other = { ...whole, axes: { learningRate: [0.1, 0.2] } };
    await expect(fcn.queue.sweep({ ...other, resume: true })).rejects.toMatchObject({ code: "run-exists" });
    await fcn.queue.sweep({ ...whole, resume: true });
    expect(await lasting(out)).toEqual(await lasting(alone));
    await expectSameRun(join(out, winner, "fold-1"), join(alone, winner, "fold-1"));
  });

  it("trains whole runs of random settings without halving and folds", async () => {
    const { folds: _f, halving: _h, ...shared } = plan(join(root, "random"));
    const axes = { learningRate: { from: 1e-3, to: 1e-1 }, batchSize: [2, 3] };
    const summary = await fcn.queue.sweep({ ...shared, steps: 2, axes, random: { trials: 3, seed: 4 }, device });
    expect(summary.trials.map(({ state, steps }) => `${state} ${steps}`)).toEqual(Array(3).fill("complete 2"));
    expect(new Set(summary.trials.map(({ name }) => name)).size).toBe(3);
    expect(summary.trials[0]).not.toHaveProperty("folds");
  });

  it("refuses what cannot be compared or sent before anything is written", async () => {
    const out = join(root, "refused");
    const refused = async (change: object, message: RegExp) => {
      await expect(fcn.queue.sweep({ ...plan(out), device, ...change } as SweepOptions)).rejects.toThrow(message);
    };
    await refused({ axes: { steps: [1, 2] } }, /differ in their length/);
    await refused({ validateEvery: 4 }, /compared after 3 steps, and validated only after 4/);
    await refused({ folds: 9 }, /9 folds of 8 images/);
    await refused({ data: "https://host/images" }, /a web server does not list its files/);
    await refused({ out: "https://host/sweep" }, /a web server does not list its files/);
    await refused({ data: "" }, /data is ""/);
    await refused({ loss: () => {} }, /loss/);
    await refused({ model: "fcn8s-smal" }, /no model called "fcn8s-smal"/);
    await refused({ data: join(root, "none") }, /does not exist/);
    const unscored = await writeTinyData(join(root, "unscored"), 3);
    await writeTree(unscored, { "splits/train.txt": "0\n1\n2" });
    await refused({ data: unscored, folds: undefined }, /no images to validate on, so that trials/);
    expect(existsSync(out)).toBe(false);
  });
});

// That all servers do the same is held by the tests of predictions.
describe.each(SERVERS.slice(0, 1))("sweep with workers of %s", (program) => {
  let server: QueueServer;
  beforeAll(async () => {
    server = await QueueServer.start(program);
  });
  afterEach(endWorkers);
  afterAll(() => server.stop());

  const worker = (name: string, below = root): Promise<FcnProcess> =>
    startWorker(server.address, "--name", name, "--root", below, "--patience", "2");

  it("gives what one machine gives, by two workers", async () => {
    const out = join(root, program, "two");
    await Promise.all([worker("a"), worker("b")]);
    const told: string[] = [];
    const onTrial = ({ name, steps }: { name: string; steps: number }) => void told.push(`${name} ${steps}`);
    const summary = await fcn.queue.sweep({ ...plan(out), queue: server.address, onTrial });
    expect(await lasting(out)).toEqual(await lasting(alone));
    expect(summary.trials).toEqual((await record(out)).ranking);
    expect(summary.files).toEqual([join(out, "report.html"), join(out, "sweep.json")]);
    expect(new Set(told).size).toBe(7);
    expect(told.at(-1)).toBe(`${winner} 12`);
    for (const fold of ["fold-1", "fold-2"]) await expectSameRun(join(out, winner, fold), join(alone, winner, fold));
    const { runs } = await fcn.queue.jobs(server.address);
    expect(runs[0]).toMatchObject({ kind: "sweep", state: "done", done: 14, total: 14, aside: [] });
  });

  it("goes on from a trial's checkpoint when its worker is killed, or ends, and when who asked goes away", async () => {
    const out = join(root, program, "killed");
    const flags = ["--model", "fcn8s-small", "--width", "0.25", "--batch", "3", "--workers", "0", "--steps", "24"];
    const pace = ["--validate-every", "12", "--checkpoint-every", "2", "--lr", "0.01,0.02", "--queue", server.address];
    const first = await worker("c");
    const asking = new FcnProcess(["sweep", "--data", data, "--out", out, ...flags, ...pace]);
    const [, id] = (await asking.printed(/run ([0-9a-f]{12});/)) as unknown as [string, string];
    await asking.kill();
    const checkpoint = join(out, "lr=0.01", "checkpoint");
    const until = async (step: number): Promise<number> => {
      const names = await readdir(checkpoint).catch(() => [] as string[]);
      const last = Math.max(0, ...names.map((name) => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1] ?? 0)));
      if (last >= step) return last;
      await sleep(20);
      return until(step);
    };
    await until(2);
    await first.kill();
    const second = await worker("d");
    const ended = await until((await until(0)) + 6);
    await second.kill("SIGTERM");
    // It was handed back, which is no failure.
    expect(second.stdout).not.toContain("failed");
    expect(ended).toBeLessThan(24);
    await worker("e");
    const again = new FcnProcess(["sweep", "--queue", server.address, "--attach", id, "--json"]);
    expect(await again.code).toBe(0);
    expect(
      JSON.parse(again.stdout).trials.map(({ state, steps }: { state: string; steps: number }) => [state, steps]),
    ).toEqual([
      ["complete", 24],
      ["complete", 24],
    ]);
    const starts = await Promise.all(
      (await readdir(join(out, "lr=0.01", "tensorboard"))).map(async (name) => {
        const events = await readEvents(join(out, "lr=0.01", "tensorboard", name));
        return events.find(({ sessionLog }) => sessionLog?.status === "START")?.step ?? 0;
      }),
    );
    expect(starts.filter((step) => step > 1)).toHaveLength(2);
    const straight = join(root, program, "straight");
    const alike = ["--lr", "0.01", "--validate-every", "12", "--out", straight];
    expect((await command(["train", "--data", data, ...flags, ...alike])).code).toBe(0);
    await expectSameRun(join(out, "lr=0.01"), straight);
  });

  /** A sweep of two whole runs that nobody works for yet. */
  async function asked(name: string, from: string) {
    const { halving: _h, folds: _f, ...shared } = plan(join(root, program, name));
    const axes = { learningRate: [0.01, 0.02] };
    const started: string[] = [];
    const onStart = (id: string) => void started.push(id);
    const swept = fcn.queue.sweep({ ...shared, data: from, axes, steps: 2, queue: server.address, onStart });
    swept.catch(() => {});
    while (started.length === 0) await sleep(20);
    return { swept, id: started[0] as string, out: shared.out };
  }
  const states = ({ trials }: { trials: readonly TrialReport[] }) =>
    trials.map(({ state, steps, error }) => `${state} ${error?.code ?? steps}`);
  const attached = (id: string) => fcn.queue.attachSweep(id, { queue: server.address });

  it("counts a trial that is put aside as failed, and trains it when the run is retried", async () => {
    const { swept, id, out } = await asked("aside", data);
    const connection = await connect("test", server.address);
    while ((await store.openChunks(connection, id)).length < 2) await tendOnce(connection, id, tending);
    const [first] = await store.openChunks(connection, id);
    await store.putAside(connection, id, first!, "it ended three workers");
    await connection.close();
    await worker("g");
    const summary = await swept;
    expect(states(summary)).toEqual(["complete 2", "failed worker-died"]);
    expect(summary.trials[1]?.error?.message).toBe("it ended three workers");
    expect(await fcn.queue.retry(server.address, id)).toBe(1);
    const again = await attached(id);
    expect(states(again)).toEqual(["complete 2", "complete 2"]);
    expect((await record(out)).ranking).toEqual(again.trials);
  });

  it("fails where a worker finds no data, and goes on when it is retried with them", async () => {
    const [lent, away] = [join(root, program, "lent"), join(root, program, "away")];
    await writeTinyData(lent, 5);
    const { swept, id } = await asked("lacking", lent);
    await rename(lent, away);
    await worker("h");
    await expect(swept).rejects.toMatchObject({ code: "missing-data", message: expect.stringContaining(lent) });
    await rename(away, lent);
    await fcn.queue.retry(server.address, id);
    expect(states(await attached(id))).toEqual(["complete 2", "complete 2"]);
  });

  it("trains nothing outside the roots of a worker", async () => {
    const out = join(root, program, "outside");
    await worker("f", join(root, program));
    const swept = fcn.queue.sweep({ ...plan(out), queue: server.address });
    await expect(swept).rejects.toThrow(/data: the address is not below a root/);
    expect(await readdir(out)).toEqual(["sweep.json"]);
  });
});
