import { models } from "@fcn/core";
import { add, createDevice, crossEntropy, type Device, mul, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { norm, readGolden, tensorOf } from "../../../support/golden.js";
import { image, labels, type StartEntry, startState } from "../../../support/hash-values.js";
import { lossesOf } from "../../../support/learning.js";
import { expectOutput, headsOf, type OutputSummary } from "../../../support/output-samples.js";

type Summary = OutputSummary & { readonly step: number };
type Summaries = Record<string, Summary>;

interface Training {
  batch: number;
  height: number;
  width: number;
  loss: number;
  tolerance: number;
  outputs: Summaries;
  norms: Record<string, number>;
  gradients: Summaries;
  running: Summaries;
}

interface Recorded {
  entries: StartEntry[];
  outputs: (Summary & { head: string; height: number; width: number })[];
  training?: Training;
}

const file = readGolden("deeplab_nets");
const golden = JSON.parse(file.metadata.golden ?? "{}") as { classes: number; nets: Record<string, Recorded> };

/** Shares of the range; PyTorch's own float32 stays within a quarter of each. */
const AGREEMENT = { evaluation: 2e-5, training: 2e-4, running: 2e-5 };

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

/** The classifier's features, or the net by its name. */
function graphOf(name: string): models.Graph {
  if (models.list().includes(name)) return models.graphOf(name, { numClasses: golden.classes }).graph;
  const builder = new models.GraphBuilder(name);
  const data = builder.add("data", { kind: "input", channels: 3 });
  const spec = { prefix: "", widthMultiplier: 1, dilated: false };
  return builder.build({ out: models.backbones.mobileNetV3Backbone(builder, data, spec).top });
}

function netOf(name: string, graph = graphOf(name)): models.GraphNet<Tensor | Record<string, Tensor>> {
  const net = new models.GraphNet<Tensor | Record<string, Tensor>>(device, graph, 1);
  net.loadStateDict(startState("dl", golden.nets[name]?.entries ?? []), { strict: true });
  return net;
}

const expectSamples = (key: string, got: Tensor, want: Summary, share: number): Promise<void> =>
  expectOutput(key, got, want, { samples: tensorOf(file, key), step: want.step, share });

describe("torchvision's outputs in evaluation, from the same state dict", () => {
  it.each(Object.keys(golden.nets))("%s", async (name) => {
    const { outputs } = golden.nets[name] as Recorded;
    using net = netOf(name).eval();
    const sizes = new Map(outputs.map((o) => [`${o.height}x${o.width}`, [o.height, o.width] as const]));
    for (const [size, [height, width]] of sizes) {
      await device.scope(async () => {
        const x = image("dl/image", labels(1, height, width, golden.classes), 3);
        const heads = headsOf(noGrad(() => net.forward(device.tensor(x.data, [...x.shape]))));
        const wanted = outputs.filter((o) => o.height === height && o.width === width);
        expect(Object.keys(heads).sort()).toEqual(wanted.map(({ head }) => head).sort());
        for (const want of wanted) {
          await expectSamples(`${name}.${size}.${want.head}`, heads[want.head] as Tensor, want, AGREEMENT.evaluation);
        }
      });
    }
  });
});

/** Without dropout, whose draws differ from PyTorch's. */
const undropped = (graph: models.Graph): models.Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) =>
    node.layer.kind === "dropout" ? { ...node, layer: { ...node.layer, p: 0 } } : node,
  ),
});

const TRAINED = Object.entries(golden.nets).flatMap(([name, { training }]) =>
  training ? [[name, training] as const] : [],
);

describe("torchvision's training pass, from the same state dict", () => {
  it.each(TRAINED)("%s", async (name, training) => {
    await device.scope(async () => {
      using net = netOf(name, undropped(graphOf(name)));
      const target = labels(training.batch, training.height, training.width, golden.classes);
      const x = image("dl/training", target, 3);
      const wanted = device.tensor(target.data, [...target.shape], { dtype: "int32" });
      const { out, aux } = headsOf(net.forward(device.tensor(x.data, [...x.shape]))) as { out: Tensor; aux?: Tensor };
      const lossOf = (logits: Tensor): Tensor => crossEntropy(logits, wanted, { ignoreIndex: 255 });
      const loss = aux ? add(lossOf(out), mul(lossOf(aux), 0.5)) : lossOf(out);
      expect((await loss.item()) / training.loss).toBeCloseTo(1, 5);
      for (const [head, want] of Object.entries(training.outputs)) {
        await expectSamples(`${name}.training.${head}`, { out, aux }[head] as Tensor, want, AGREEMENT.training);
      }
      loss.backward();
      const least = 1e-4 * Math.max(...Object.values(training.norms));
      const gradients = Object.fromEntries(net.namedParameters().map(([key, { grad }]) => [key, grad as Tensor]));
      expect(Object.keys(gradients).sort()).toEqual(Object.keys(training.norms).sort());
      for (const [key, want] of Object.entries(training.norms)) {
        const got = norm(await (gradients[key] as Tensor).data());
        expect(Math.abs(got - want) / Math.max(want, least), key).toBeLessThan(training.tolerance);
      }
      for (const [key, want] of Object.entries(training.gradients)) {
        await expectSamples(`${name}.gradient.${key}`, gradients[key] as Tensor, want, training.tolerance);
      }
      const state = net.stateDict();
      for (const [key, want] of Object.entries(training.running)) {
        await expectSamples(`${name}.running.${key}`, state[key] as Tensor, want, AGREEMENT.running);
      }
    });
  });
});

describe("training from nothing", () => {
  it.each(["deeplabv3_resnet50", "lraspp_mobilenet_v3_large"])("of %s learns", async (name) => {
    await device.scope(async () => {
      const options = { numClasses: 3, widthMultiplier: 1 / 16, seed: 1 };
      const net = models.create<Tensor | Record<string, Tensor>>(name, device, options);
      const losses = await lossesOf(net, "dl/learning", 3);
      expect(losses.at(-1)).toBeLessThan(0.7 * Math.log(3));
    });
  });
});
