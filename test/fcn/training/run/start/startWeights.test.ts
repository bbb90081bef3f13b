import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeStart, loadStartWeights } from "../../../../../packages/fcn/src/training/run/start/startWeights.js";
import { temporaryFolder } from "../../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../../tinyData.js";
import { tinyRun } from "../../tinyRun.js";

const root = await temporaryFolder("fcn-start");
const data = await writeTinyData(join(root, "data"));

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** The arrays of a net, to be written under other names. */
async function hostState(net: fcn.models.GraphNet): Promise<Record<string, io.HostArray>> {
  const entries = Object.entries(net.stateDict()).map(async ([name, tensor]) => {
    const array = { dtype: "float32", shape: [...tensor.shape], data: (await tensor.data()) as Float32Array } as const;
    return [name, array] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

const base = (): Omit<fcn.TrainRunOptions, "out"> => tinyRun(data, device);

describe("what became of a file of weights", () => {
  const report = {
    loaded: 1,
    swapped: [],
    missing: ["conv2.weight"],
    unused: [],
    unread: [],
    dropped: [],
    added: "",
    backbone: { loaded: 1, all: 2 },
  };

  it("says of an array that is there but is not read that it starts anew, not that it is missing", () => {
    expect(describeStart("w.pth", [], report)).toContain("not in the file, so these start anew: conv2.weight");
    const sparse = { name: "conv2.weight", reason: "it is sparse", damaged: false };
    const lines = describeStart("w.pth", [], { ...report, unread: [sparse] });
    expect(lines).toContain("not in the file, or not in a form that is read, so these start anew: conv2.weight");
    expect(lines).toContain("could not be read: conv2.weight (it is sparse)");
  });
});

describe("a run from a file of weights", () => {
  it("finds the backbone of a classifier under names of its own", async () => {
    const width = { numClasses: TINY_CLASSES.length, widthMultiplier: 1 / 32 };
    using classifier = fcn.models.create("fcn32s-mobilenetv3large", device, width);
    const own = Object.entries(await hostState(classifier)).filter(([name]) => name.startsWith("backbone."));
    const weights = join(root, "features.safetensors");
    const bare = own.map(([name, array]) => [name.slice("backbone.".length), array] as const);
    await io.writeSafetensors(weights, Object.fromEntries(bare));
    using net = fcn.models.create<fcn.models.NetOutput>("lraspp_mobilenet_v3_large", device, width);
    const report = await loadStartWeights(net, weights);
    expect(report).toMatchObject({ loaded: own.length, dropped: ["features."], added: "backbone." });
    expect(report.backbone).toEqual({ loaded: own.length, all: own.length });
  });

  it("starts from weights of other classes with a new head, and says so", async () => {
    const out = join(root, "head");
    using old = fcn.models.create("fcn8s-small", device, { numClasses: 7, seed: 9, widthMultiplier: 0.25 });
    const weights = join(root, "seven.safetensors");
    await io.writeSafetensors(weights, old.stateDict());
    const lines: string[] = [];
    const view = { line: (text: string) => void lines.push(text) };
    await fcn.trainRun({ ...base(), out, weights, steps: 1, learningRate: 1e-12, view });
    expect(lines.join("\n")).toMatch(/arrays loaded\n.*start anew: .*score_fr\.weight/);
    const trained = await io.readSafetensors(join(out, "weights.safetensors"));
    const before = await old.stateDict()["conv1_1.weight"]!.data();
    expect(trained["conv1_1.weight"]!.data[5]).toBeCloseTo(before[5]!, 5);
    await expect(
      fcn.trainRun({
        ...base(),
        out: join(root, "no"),
        weights,
        model: "fcn8s-small",
        modelOptions: { widthMultiplier: 0.5 },
      }),
    ).rejects.toMatchObject({ code: "state-dict-mismatch" });
  });

  it.each([false, true])("matches score layers to classes by name, upsampling that is dense: %s", async (dense) => {
    const options = { numClasses: 4, seed: 9, widthMultiplier: 0.25, deconv: "learned", dense } as const;
    using old = fcn.models.create("fcn8s-small", device, options);
    // No two classes alike: upsampling starts as the same bilinear kernel for all of them.
    for (const [name, tensor] of Object.entries(old.stateDict())) {
      if (!/^(score|upscore)/.test(name)) continue;
      const data = Float32Array.from({ length: tensor.size }, (_, i) => (i % 97) / 97 + 1);
      old.loadStateDict({ [name]: { dtype: "float32", shape: tensor.shape, data } }, { strict: false });
    }
    const weights = join(root, `named ${dense}.safetensors`);
    const names = ["Wall", "tree", "ground", "sky"];
    await fcn.saveModel(weights, old, {
      ...{ model: "fcn8s-small", options, classes: names, palette: [], preprocessing: fcn.data.IMAGENET_MEAN },
    });
    const lines: string[] = [];
    const view = { line: (text: string) => void lines.push(text) };
    const out = join(root, `named ${dense}`);
    const { model: _, ...run } = base();
    const modelOptions = { widthMultiplier: 0.25, deconv: "learned", dense } as const;
    await fcn.trainRun({ ...run, modelOptions, out, weights, steps: 1, learningRate: 1e-12, view });
    expect(lines.join("\n")).toMatch(/matched by name: ground, wall; these start anew: ball/);
    const [before, after] = [
      await io.readSafetensors(weights),
      await io.readSafetensors(join(out, "weights.safetensors")),
    ];
    using fresh = fcn.models.create("fcn8s-small", device, { ...options, numClasses: 3, seed: 3 });
    const perClass = Object.keys(before).filter((name) => before[name]!.shape[0] === 4 && after[name]!.shape[0] === 3);
    expect(perClass.filter((name) => name.startsWith("score")).length).toBeGreaterThan(2);
    expect(perClass.some((name) => name.startsWith("upscore"))).toBe(true);
    const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
      expect(a.length).toBe(b.length);
      for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 5);
    };
    for (const name of perClass) {
      const [was, is] = [before[name]!, after[name]!];
      const isDense = dense && name.startsWith("upscore");
      const area = is.data.length / (isDense ? 9 : 3);
      const part = (data: ArrayLike<number>, at: number): number[] =>
        Array.from(data).slice(at * area, (at + 1) * area);
      const all = is.data as Float32Array;
      // ground, ball, wall were 2, none, 0.
      const initial = await fresh.stateDict()[name]!.data();
      if (isDense) {
        close(part(all, 0), part(was.data as Float32Array, 2 * 4 + 2));
        close(part(all, 2), part(was.data as Float32Array, 2 * 4));
        close(part(all, 8), part(was.data as Float32Array, 0));
        close(part(all, 4), part(initial, 4));
      } else {
        close(part(all, 0), part(was.data as Float32Array, 2));
        close(part(all, 1), part(initial, 1));
        close(part(all, 2), part(was.data as Float32Array, 0));
      }
    }
  });

  it("lets score layers start anew where the file names none of the classes, and keeps them where it names the same", async () => {
    const { model: _, ...run } = base();
    const start = async (classes: string[], name: string): Promise<string> => {
      using old = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 9, widthMultiplier: 0.25 });
      const weights = join(root, `${name}.safetensors`);
      const options = { numClasses: 3, widthMultiplier: 0.25 };
      await fcn.saveModel(weights, old, {
        ...{ model: "fcn8s-small", options, classes, palette: [], preprocessing: fcn.data.IMAGENET_MEAN },
      });
      const lines: string[] = [];
      const view = { line: (text: string) => void lines.push(text) };
      await fcn.trainRun({ ...run, modelOptions: {}, out: join(root, `from ${name}`), weights, steps: 1, view });
      return lines.join("\n");
    };
    expect(await start(["cat", "dog", "cow"], "others")).toMatch(/start anew: .*score_fr\.weight/);
    for (const same of [TINY_CLASSES, ["class 0", "class 1", "class 2"]]) {
      expect(await start(same, same[0] as string)).not.toMatch(/anew|matched/);
    }
  });

  it("finds the net after prefixes, and tells what of the file it did not use", async () => {
    using old = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 9, widthMultiplier: 0.25 });
    const state = await hostState(old);
    const other: io.HostArray = { dtype: "float32", shape: [2], data: new Float32Array(2) };
    const renamed = (rename: (name: string) => string, from = state): Record<string, io.HostArray> =>
      Object.fromEntries(Object.entries(from).map(([name, array]) => [rename(name), array]));
    const start = async (name: string, arrays: Record<string, io.HostArray>, more = {}): Promise<string> => {
      const weights = join(root, `${name}.npz`);
      await io.writeNpz(weights, arrays);
      const lines: string[] = [];
      const view = { line: (text: string) => void lines.push(text) };
      const out = join(root, `from ${name}`);
      const modelOptions = { widthMultiplier: 0.25 };
      await fcn.trainRun({ ...base(), modelOptions, out, weights, steps: 1, learningRate: 1e-12, view, ...more });
      const trained = await io.readSafetensors(join(out, "weights.safetensors"));
      const [is, was] = [trained, state].map((record) => record["conv1_1.weight"]!.data[5] as number);
      expect(is).toBeCloseTo(was!, 5);
      return lines.join("\n");
    };
    const lightning = { ...renamed((name) => `model._orig_mod.${name}`), "loss.weight": other, n_averaged: other };
    const told = await start("lightning", lightning);
    expect(told).toContain(`${Object.keys(state).length} arrays loaded`);
    expect(told).toContain("dropped from the names of the file: _orig_mod., model.");
    expect(told).toContain("1 array of the file not used: loss.weight");
    expect(told).not.toMatch(/anew|WARNING/);
    const twins = { ...renamed((name) => `student.${name}`), ...renamed((name) => `teacher.${name}`) };
    await expect(start("twins", twins)).rejects.toMatchObject({ code: "ambiguous-prefix" });
    expect(await start("twins", twins, { prefix: "teacher" })).toMatch(/arrays of the file not used: student\./);
    const few = Object.fromEntries(Object.entries(state).filter(([name]) => /^(conv1_1|score)/.test(name)));
    expect(await start("few", few)).toMatch(/WARNING: only \d+ of the \d+ arrays of the backbone are in the file/);
    const heads = Object.fromEntries(Object.entries(state).filter(([name]) => /^score/.test(name)));
    await expect(start("heads", heads)).rejects.toMatchObject({
      code: "state-dict-mismatch",
      message: expect.stringMatching(/none of the \d+ arrays of its backbone is in the file: it holds score/),
    });
    await expect(start("nothing", { "a.b": other })).rejects.toMatchObject({
      message: expect.stringContaining("no name in the file is one of the net: it holds a.b"),
    });
  });

  it("starts a backbone from a classifier of PyTorch as it is, and says that its own classes are not used", async () => {
    using old = fcn.models.create("fcn32s-resnet18", device, { numClasses: 3, seed: 9, widthMultiplier: 1 / 16 });
    const backbone = Object.entries(await hostState(old)).filter(([name]) => name.startsWith("backbone."));
    const bare = backbone.map(([name, array]) => [`net.${name.slice("backbone.".length)}`, array]);
    const weights = join(root, "classifier.safetensors");
    const fc: io.HostArray = { dtype: "float32", shape: [1000, 32], data: new Float32Array(32000) };
    await io.writeSafetensors(weights, { ...Object.fromEntries(bare), "net.fc.weight": fc });
    using net = fcn.models.create("fcn32s-resnet18", device, { numClasses: 3, seed: 1, widthMultiplier: 1 / 16 });
    const report = await io.loadWeights(net, weights, { strict: false });
    expect(report).toMatchObject({ dropped: ["net."], added: "backbone." });
    const lines: string[] = [];
    const run = { ...base(), model: "fcn32s-resnet18", modelOptions: { widthMultiplier: 1 / 16 }, steps: 1, weights };
    await fcn.trainRun({ ...run, out: join(root, "classifier"), view: { line: (text) => void lines.push(text) } });
    const told = lines.join("\n");
    expect(told).toContain(`${backbone.length} arrays loaded`);
    expect(told).toContain("dropped from the names of the file: net.\nput before the names of the file: backbone.");
    expect(told).toContain("1 array of the file not used: net.fc.weight");
  });

  it("refuses weights that hold NaN, to start from or to use", async () => {
    const out = join(root, "finite");
    await fcn.trainRun({ ...base(), out, steps: 1 });
    const [good, weights] = [join(out, "best.safetensors"), join(root, "one nan.safetensors")];
    const arrays = await io.readSafetensors(good);
    arrays["conv1_1.weight"]!.data[3] = Number.NaN;
    await io.writeSafetensors(weights, arrays, { metadata: await io.readSafetensorsMetadata(good) });
    const refused = {
      code: "not-finite",
      message: expect.stringMatching(/one nan\.safetensors: conv1_1\.weight holds/),
    };
    await expect(fcn.loadModel(weights, device)).rejects.toMatchObject(refused);
    await expect(fcn.trainRun({ ...base(), weights, out: join(root, "no start"), steps: 1 })).rejects.toMatchObject(
      refused,
    );
  });
});
