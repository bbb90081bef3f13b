import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-longer");
const data = await writeTinyData(join(root, "data"), 5);

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Options = Partial<fcn.TrainRunOptions>;

/** A run of a small net, with the lines that it told. */
async function run(name: string, options: Options) {
  const lines: string[] = [];
  const view = { line: (text: string) => void lines.push(text), ...options.view };
  const base = { ...tinyRun(data, device), batchSize: 2, readEvery: 2, validateEvery: 2 };
  const result = await fcn.trainRun({ ...base, ...options, view, out: join(root, name) });
  return { result, lines: lines.filter((text) => /^(the run goes on|the schedule)/.test(text)) };
}

const weights = (name: string, file = "weights.safetensors") => io.readSafetensors(join(root, name, file));
const metrics = (name: string): Promise<string> => readFile(join(root, name, "metrics.csv"), "utf8");

describe("a run that is lengthened", () => {
  it("goes on from its end or from a stop, and may become longer again, but not shorter", async () => {
    const fixed = { schedule: "fixed", optimizer: "sgd", warmUp: 3 } as const;
    await run("longer", { ...fixed, steps: 4 });
    const { result, lines } = await run("longer", { ...fixed, steps: 6, resume: true });
    expect(result).toMatchObject({ done: 6, steps: 6, resumedFrom: 4 });
    expect(lines).toEqual(["the run continues to step 6 instead of 4"]);
    const stop = new AbortController();
    const view = { progress: ({ step }: fcn.TrainProgress) => void (step === 8 && stop.abort()), line: () => {} };
    // Stopped on the way, and longer again.
    await run("longer", { ...fixed, steps: 20, resume: true, signal: stop.signal, readEvery: 2, view });
    await expect(run("longer", { ...fixed, steps: 10, resume: true })).rejects.toThrow(/steps was 20 and is 10/);
  });

  it("has the bits of a run of that length from the start, where the schedule does not depend on it", async () => {
    const fixed = { schedule: "fixed", optimizer: "sgd", warmUp: 3 } as const;
    await run("straight", { ...fixed, steps: 8 });
    await run("twice", { ...fixed, steps: 4 });
    await run("twice", { ...fixed, steps: 8, resume: true });
    expect(await weights("twice")).toEqual(await weights("straight"));
    expect(await weights("twice", "best.safetensors")).toEqual(await weights("straight", "best.safetensors"));
    expect(await metrics("twice")).toBe(await metrics("straight"));
  });

  it("keeps the pace of its readings and validations, and goes on to its own length where none is named", async () => {
    const free = { readEvery: undefined, validateEvery: undefined } as unknown as Options;
    const first = await run("epochs", { ...free, epochs: 2, schedule: "fixed" });
    const pace = ({ readEvery, validateEvery }: fcn.Configuration) => [readEvery, validateEvery];
    const again = await run("epochs", { ...free, resume: true, schedule: "fixed" });
    expect(again.result).toMatchObject({ steps: first.result.steps, done: first.result.steps });
    expect(again.lines).toEqual([]);
    const longer = await run("epochs", { ...free, epochs: 5, resume: true, schedule: "fixed" });
    expect(longer.result.done).toBeGreaterThan(first.result.done);
    expect(pace(longer.result.configuration)).toEqual(pace(first.result.configuration));
    const rows = (await metrics("epochs")).trim().split("\n").slice(1);
    const steps = rows.map((row) => Number(row.split(",")[0]));
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(steps.at(-1)).toBe(longer.result.done);
    expect(await readFile(join(root, "epochs", "report.html"), "utf8")).toContain(`${longer.result.done} steps`);
  });

  it.each([
    ["poly", 4, 8, 5, (0.01 * 0.5 ** 0.9).toPrecision(4), "0"],
    ["cosine", 4, 8, 5, "0.005", "0"],
    ["step", 3, 6, 4, "0.001", "0.00001"],
  ] as const)("tells what changes with the schedule %s", async (schedule, short, long, step, is, was) => {
    await run(schedule, { schedule, steps: short });
    const { lines } = await run(schedule, { schedule, steps: long, resume: true });
    expect(lines[0]).toBe(`the run continues to step ${long} instead of ${short}`);
    const [, at, now, before] = /at step (\d+) it is (\S+) instead of (\S+)$/.exec(lines[1] ?? "") ?? [];
    expect([Number(at), Number(now)]).toEqual([step, Number(is)]);
    expect(Number(before)).toBeCloseTo(Number(was), 6);
    const rows = (await metrics(schedule)).trim().split("\n").slice(1);
    const rates = rows.map((row) => Number(row.split(",")[2]));
    expect(rates.at(-1)).toBeGreaterThan(0);
  });

  it("is refused where it would be shorter than it is, or differs in anything else, by name", async () => {
    await run("refused", { steps: 4 });
    await expect(run("refused", { steps: 3, resume: true })).rejects.toMatchObject({
      code: "checkpoint-mismatch",
      message: expect.stringMatching(/has already made 4 steps, but only 3 were asked for$/),
      fix: expect.stringContaining("ask for more than 4 steps (steps or epochs)"),
      commandFix: expect.stringContaining("--steps or --epochs"),
    });
    for (const [other, message] of [
      [{ learningRate: 0.5 }, /another run: learningRate was 0.01 and is 0.5$/],
      [{ batchSize: 1 }, /another run: batchSize was 2 and is 1$/],
      [{ schedule: "fixed" }, /another run: schedule was "poly" and is "fixed"$/],
      [{ readEvery: 1 }, /another run: readEvery was 2 and is 1$/],
    ] as const) {
      await expect(run("refused", { steps: 8, resume: true, ...other })).rejects.toThrow(message);
    }
    expect((await run("refused", { steps: 4, resume: true })).result.done).toBe(4);
  });
});

describe("a run of a graph", () => {
  it("trains it, goes on, and leaves weights that start another one", async () => {
    const builder = new fcn.GraphBuilder("own");
    const image = builder.add("data", { kind: "input", channels: 3 });
    const first = builder.add("conv1", { kind: "conv", outChannels: 6, kernelSize: 3, padding: 1 }, image);
    const active = builder.add("relu1", { kind: "relu" }, first);
    const model = builder.build({ out: builder.add("score", { kind: "conv", outChannels: 3, kernelSize: 1 }, active) });
    const options = { model, modelOptions: {} };
    const { result } = await run("graph", { ...options, steps: 2 });
    expect(result).toMatchObject({ model: "own", done: 2 });
    const unnamed = { modelOptions: {}, model: undefined } as unknown as Options;
    expect((await run("graph", { ...unnamed, steps: 4, resume: true })).result).toMatchObject({
      model: "own",
      done: 4,
    });
    const wide = { ...options, modelOptions: { widthMultiplier: 0.5 }, steps: 1 };
    await expect(run("wide", wide)).rejects.toThrow(/which takes no option widthMultiplier/);
    const file = join(root, "graph", "best.safetensors");
    expect((await run("from graph", { ...unnamed, weights: file, steps: 1 })).result.model).toBe("own");
    const other = {
      ...model,
      nodes: model.nodes.map((node) => (node.name === "relu1" ? { ...node, layer: { kind: "relu6" } } : node)),
    };
    await expect(run("graph", { model: other as fcn.Graph, modelOptions: {}, steps: 4, resume: true })).rejects.toThrow(
      /another run: graph was/,
    );
    const narrow = {
      ...model,
      nodes: model.nodes.map((node) =>
        node.name === "score" ? { ...node, layer: { ...node.layer, outChannels: 2 } } : node,
      ),
    };
    await expect(run("narrow", { model: narrow as fcn.Graph, modelOptions: {}, steps: 1 })).rejects.toThrow(
      /scores 2 classes, the data have 3 channels and 3 classes/,
    );
  });
});
