import * as fcn from "@fcn/core";
import { createDevice, type Device, type nn, type optim } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mergeRules, multipliersOf } from "../../../../packages/fcn/src/training/optimizer/multipliers.js";
import { recipe } from "../../../../packages/fcn/src/training/settings/recipes.js";
import { stripes } from "../../data/samples.js";
import { weightsOf } from "../states.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const TINY = { numClasses: 3, widthMultiplier: 1 / 64, seed: 1 };
const BIAS = { bias: { lr: 2, decay: 0 } };

function namesIn(net: nn.Module, group: { readonly params: readonly unknown[] } | undefined): string[] {
  return net
    .namedParameters()
    .filter(([, parameter]) => group?.params.includes(parameter))
    .map(([name]) => name);
}

describe("parameterGroups", () => {
  it("double the rate of the biases of a published net and decay none of them", async () => {
    await device.scope(() => {
      const net = fcn.models.create("fcn8s-vgg16", device, TINY);
      const groups = fcn.parameterGroups(net, { learningRate: 1e-10, weightDecay: 5e-4, multipliers: BIAS });
      expect(groups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([
        [undefined, undefined],
        [2e-10, 0],
      ]);
      const [weights, biases] = groups.map((group) => namesIn(net, group));
      expect(weights?.every((name) => name.endsWith(".weight"))).toBe(true);
      expect(biases?.every((name) => name.endsWith(".bias"))).toBe(true);
      expect(biases).toHaveLength(18);
      // Fixed upsampling layers are buffers, so no group holds them.
      expect([...(weights ?? []), ...(biases ?? [])].sort()).toEqual(
        Object.keys(net.stateDict())
          .filter((name) => !name.startsWith("up"))
          .sort(),
      );
    });
  });

  it("tell norms from convolutions, and take layers by name", async () => {
    await device.scope(() => {
      const net = fcn.models.create<Record<"out" | "aux", never>>("fcn_resnet50", device, TINY);
      const multipliers = { norm: { decay: 0 }, layers: { aux_classifier: { lr: 10 } } };
      const groups = fcn.parameterGroups(net, { learningRate: 0.02, weightDecay: 1e-4, multipliers });
      const byKey = new Map(groups.map((group) => [`${group.lr}/${group.weightDecay}`, namesIn(net, group)]));
      expect([...byKey.keys()]).toEqual(["undefined/undefined", "undefined/0", "0.2/undefined", "0.2/0"]);
      expect(byKey.get("undefined/0")).toContain("backbone.layer3.1.bn2.bias");
      expect(byKey.get("undefined/undefined")).toContain("classifier.4.bias");
      expect(byKey.get("0.2/undefined")).toEqual([
        "aux_classifier.0.weight",
        "aux_classifier.4.weight",
        "aux_classifier.4.bias",
      ]);
      expect(byKey.get("0.2/0")).toEqual(["aux_classifier.1.weight", "aux_classifier.1.bias"]);
    });
  });

  it("take parameters by name with * and ?, and what lies below a module, and multiply where several meet", async () => {
    await device.scope(() => {
      const net = fcn.models.create("fcn8s-resnet18", device, TINY);
      const names = net.namedParameters().map(([name]) => name);
      const met = (pattern: string): string[] => {
        const groups = fcn.parameterGroups(net, { learningRate: 1, multipliers: { layers: { [pattern]: { lr: 3 } } } });
        return namesIn(
          net,
          groups.find(({ lr }) => lr === 3),
        );
      };
      const starting = (...starts: string[]) => names.filter((name) => starts.some((start) => name.startsWith(start)));
      expect(met("score*")).toEqual(starting("score"));
      expect(met("score*").length).toBeGreaterThan(3);
      expect(met("backbone")).toEqual(starting("backbone."));
      expect(met("backbone.layer?.0")).toEqual(
        starting("backbone.layer1.0.", "backbone.layer2.0.", "backbone.layer3.0.", "backbone.layer4.0."),
      );
      expect(met("*.bias")).toEqual(names.filter((name) => name.endsWith(".bias")));
      expect(met("*bn2.weight")).toEqual(names.filter((name) => name.endsWith(".bn2.weight")));
      // A dot is a dot, and the beginning of a name is no name.
      for (const none of ["scoreXfr", "backbone.layer", "score_fr.weigh", "core*"]) expect(met(none)).toEqual([]);
      const layers = { "score*": { lr: 10 }, score_fr: { lr: 2, decay: 0 } };
      const groups = fcn.parameterGroups(net, { learningRate: 1, weightDecay: 1, multipliers: { layers } });
      expect(groups.map(({ lr, weightDecay }) => [lr, weightDecay])).toEqual([
        [undefined, undefined],
        [20, 0],
        [10, undefined],
      ]);
    });
  });

  it("leave out what does not learn, and refuse a net in which nothing does", async () => {
    await device.scope(() => {
      const net = fcn.models.create("fcn32s-vgg16", device, TINY);
      for (const [name, parameter] of net.namedParameters()) parameter.requiresGrad = name === "score_fr.bias";
      expect(fcn.parameterGroups(net, { learningRate: 1 }).map((group) => namesIn(net, group))).toEqual([
        ["score_fr.bias"],
      ]);
      for (const parameter of net.parameters()) parameter.requiresGrad = false;
      expect(() => fcn.parameterGroups(net, { learningRate: 1 })).toThrow(/no parameter of the net learns/);
    });
  });
});

describe("train with multipliers", () => {
  const data = [stripes("stripes", 32, 3, 3)];
  const settings = {
    data,
    preprocessing: fcn.data.measurePreprocessing(data),
    numClasses: 3,
    mirror: false,
    schedule: "fixed",
    momentum: 0,
    learningRate: 0.01,
    steps: 1,
  } as const;

  /** Weights before and after one step. */
  async function step(options: Partial<fcn.TrainOptions>) {
    const net = { ...TINY, widthMultiplier: 0.25, batchNorm: false };
    using model = fcn.models.create("fcn32s-small", device, net);
    const before = await weightsOf(model);
    await fcn.train({ ...settings, model, ...options });
    return { before, after: await weightsOf(model) };
  }

  it("moves a bias twice as far, without decay", async () => {
    const weightDecay = 0.5;
    const plain = await step({ weightDecay: 0 });
    const { before, after } = await step({ weightDecay, multipliers: BIAS });
    // Only the scores have a gradient in the first step, since they start at zero.
    const change = (run: typeof plain, name: string): number[] =>
      Array.from(run.after[name] ?? [], (value, i) => value - (run.before[name]?.[i] ?? 0));
    change({ before, after }, "score_fr.bias").forEach((value, c) => {
      const single = change(plain, "score_fr.bias")[c] ?? Number.NaN;
      expect(Math.abs(single)).toBeGreaterThan(1e-5);
      expect(value / single).toBeCloseTo(2, 4);
    });
    expect(after["conv2_1.bias"]).toEqual(before["conv2_1.bias"]);
    const kept = 1 - settings.learningRate * weightDecay;
    after["conv2_1.weight"]?.forEach((value, i) => {
      expect(value).toBeCloseTo((before["conv2_1.weight"]?.[i] ?? Number.NaN) * kept, 6);
    });
  });

  it("hands the groups to an optimiser of the caller's, and refuses layers that do not exist", async () => {
    let groups: readonly object[] = [];
    const { optim: library } = await import("@fcn/tensor");
    const optimizer = (parameters: fcn.LearningGroup[], lr: number): optim.AdamW => {
      groups = parameters;
      return new library.AdamW(parameters, { lr });
    };
    await step({ optimizer, multipliers: BIAS });
    expect(groups).toHaveLength(2);
    await expect(step({ multipliers: { layers: { "fc?": { lr: 1 }, "score_fc*": { lr: 2 } } } })).rejects.toMatchObject(
      {
        message: 'train: multipliers names "score_fc*", which is not a module with parameters',
        fix: expect.stringMatching(/^the nearest names are score_fr, /),
      },
    );
  });

  it("adds those given to the recipe's, in place of its own of the same name", async () => {
    let groups: readonly fcn.LearningGroup[] = [];
    const { optim: library } = await import("@fcn/tensor");
    const optimizer = (parameters: fcn.LearningGroup[], lr: number): optim.SGD => {
      groups = parameters;
      return new library.SGD(parameters, { lr });
    };
    const rates = async (multipliers: fcn.MultiplierRules): Promise<(number | undefined)[]> => {
      await step({ optimizer, recipe: "fcn-heavy", learningRate: 1, multipliers });
      return groups.map(({ lr }) => lr);
    };
    // Of weights, of biases with decay 0, of both below score_fr.
    expect(await rates({ layers: { score_fr: { lr: 10 } } })).toEqual([undefined, 2, 10, 20]);
    expect(await rates({ bias: { lr: 3 }, layers: { score_fr: { lr: 10 } } })).toEqual([undefined, 3, 10, 30]);
    // What is undefined was not given.
    const none = { bias: undefined, layers: { score_fr: undefined } } as unknown as fcn.MultiplierRules;
    expect(await rates(none)).toEqual([undefined, 2]);
  });

  it.each([
    ["aux_classifier", 3],
    ["aux_classifier*", 30],
  ])("lets %s take the place of the recipe's rule of that name alone", (name, rate) => {
    const { multipliers } = recipe("torchvision").settings;
    const merged = mergeRules(multipliers ?? {}, { layers: { [name]: { lr: 3 } } });
    expect(multipliersOf("aux_classifier.4.weight", "weight", merged)).toEqual({ lr: rate, decay: 1 });
  });
});
