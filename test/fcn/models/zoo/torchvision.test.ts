import { models } from "@fcn/core";
import { createDevice, type Device, noGrad, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { norm, readGolden, tensorOf } from "../../../support/golden.js";
import { image, labels, type StartEntry, startState } from "../../../support/hash-values.js";

interface Output {
  head: string;
  height: number;
  width: number;
  shape: number[];
  step: number;
  range: number;
  norm: number;
}

interface Golden {
  classes: number;
  nets: Record<string, { entries: StartEntry[]; outputs: Output[] }>;
}

const file = readGolden("torchvision_nets");
const golden = JSON.parse(file.metadata.golden ?? "{}") as Golden;

/** Of the range of the output; PyTorch's own float32 stays within 5e-6. */
const AGREEMENT = 2e-5;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const {
  alexNetBackbone,
  googLeNetBackbone,
  inceptionBackbone,
  mobileNetBackbone,
  RESNETS,
  resNetBackbone,
  torchvisionNames,
  torchvisionVggNames,
  VGG16,
  vggBackbone,
} = models.backbones;

/** The features of a classifier as a graph, with the geometry that torchvision gives them. */
function features(backbone: models.backbones.BackboneBuilder): models.Graph {
  const builder = new models.GraphBuilder("features");
  const data = builder.add("data", { kind: "input", channels: 3 });
  return builder.build({ out: backbone(builder, data).top });
}

const plain = { prefix: "", widthMultiplier: 1, dropout: 0 };
const vgg = {
  stages: VGG16.stages,
  cast: [],
  padding: 1,
  batchNorm: false,
  dropout: 0,
  ceilMode: false,
  names: torchvisionVggNames("", VGG16.stages),
};
const graphs: Record<string, () => models.Graph> = {
  vgg16: () => features((b, input) => vggBackbone(b, input, vgg)),
  alexnet: () =>
    features((b, input) => alexNetBackbone(b, input, { ...plain, padding: 2, ceilMode: false, classifier: false })),
  resnet18: () =>
    features((b, input) => resNetBackbone(b, input, { ...RESNETS.resnet18, width: 64, names: torchvisionNames("") })),
  googlenet: () => features((b, input) => googLeNetBackbone(b, input, { ...plain, padding: 3 })),
  mobilenet_v2: () => features((b, input) => mobileNetBackbone(b, input, { ...plain, samePadding: false, eps: 1e-5 })),
  mobilenet_v2_same: () =>
    features((b, input) => mobileNetBackbone(b, input, { ...plain, samePadding: true, eps: 1e-3 })),
  inception_v3: () =>
    features((b, input) =>
      inceptionBackbone(b, input, { ...plain, padding: 0, countIncludePad: true, lastStage: "Mixed_7c" }),
    ),
  fcn_resnet50: () => models.graphOf("fcn_resnet50", { numClasses: golden.classes }).graph,
  fcn_resnet101: () => models.graphOf("fcn_resnet101", { numClasses: golden.classes }).graph,
};

function headsOf(output: Tensor | Record<string, Tensor>): Record<string, Tensor> {
  return "shape" in output ? { out: output as Tensor } : (output as Record<string, Tensor>);
}

async function expectOutput(name: string, want: Output, got: Tensor): Promise<void> {
  const label = `${name} ${want.height}x${want.width} ${want.head}`;
  expect(got.shape, label).toEqual(want.shape);
  const data = await got.data();
  const samples = tensorOf(file, `${name}.${want.height}x${want.width}.${want.head}`).data;
  expect(samples.length, label).toBe(Math.ceil(data.length / want.step));
  let worst = 0;
  samples.forEach((value, i) => {
    worst = Math.max(worst, Math.abs((data[i * want.step] ?? Number.NaN) - value));
  });
  expect(worst / want.range, `${label}, largest difference as a share of the range`).toBeLessThan(AGREEMENT);
  expect(Math.abs(norm(data) / want.norm - 1), `${label}, norm`).toBeLessThan(AGREEMENT);
}

describe("the outputs of torchvision's nets, from the same state dict", () => {
  it("cover every net here", () => expect(Object.keys(golden.nets).sort()).toEqual(Object.keys(graphs).sort()));

  it.each(Object.keys(graphs))("%s", async (name) => {
    const { entries, outputs } = golden.nets[name] as Golden["nets"][string];
    const graph = (graphs[name] as () => models.Graph)();
    const net = new models.GraphNet<Tensor | Record<string, Tensor>>(device, graph, 1).eval();
    net.loadStateDict(startState("tv", entries), { strict: true });
    const sizes = new Map(outputs.map((o) => [`${o.height}x${o.width}`, [o.height, o.width] as const]));
    for (const [height, width] of sizes.values()) {
      await device.scope(async () => {
        const x = image("tv/image", labels(1, height, width, golden.classes), 3);
        const heads = headsOf(noGrad(() => net.forward(device.tensor(x.data, [...x.shape]))));
        const wanted = outputs.filter((o) => o.height === height && o.width === width);
        expect(Object.keys(heads).sort()).toEqual(wanted.map(({ head }) => head).sort());
        for (const want of wanted) await expectOutput(name, want, heads[want.head] as Tensor);
      });
    }
    net.dispose();
    device.trim();
  });
});
