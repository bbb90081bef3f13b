import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "./tinyData.js";
import { tinyRun } from "./tinyRun.js";

const root = await temporaryFolder("fcn-start");
const data = await writeTinyData(join(root, "data"));

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const base = (): Omit<fcn.TrainRunOptions, "out"> => tinyRun(data, device);

describe("a run from a file of weights", () => {
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
