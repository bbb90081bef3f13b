import * as fcn from "@fcn/core";
import { createDevice, crossEntropy, type Device, optim, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWithin, norm, readGolden, tensorOf } from "./support/golden.js";
import { image, labels, type StartEntry, startState } from "./support/hash-values.js";

interface Golden {
  classes: number;
  batch: number;
  height: number;
  width: number;
  options: { lr: number; momentum: number; weightDecay: number };
  entries: StartEntry[];
  losses: number[];
  norms: Record<string, number>;
  logitsNorm: number;
}

const file = readGolden("d2l");
const golden = JSON.parse(file.metadata.golden ?? "{}") as Golden;

/** PyTorch's own float32 run stays within 7e-5 of the float64 run that is stored. */
const agreement = 1e-3;
/**
 * Single tensors, such as the statistics of one layer, move more than the loss: rounding differs in every layer before.
 */
const stateAgreement = 5e-3;

let device: Device;
beforeAll(async () => {
  device = await createDevice();
});
afterAll(() => device?.destroy());

function start() {
  const net = fcn.models.create("d2l-resnet18", device, { numClasses: golden.classes, seed: 1 });
  net.loadStateDict(startState("d2l", golden.entries), { strict: true });
  const target = labels(golden.batch, golden.height, golden.width, golden.classes);
  const input = image("d2l/image", target, 3);
  const x = device.tensor(input.data, [...input.shape]);
  const y = device.tensor(target.data, [...target.shape], { dtype: "int32" });
  return { net, x, y };
}

/** Every seventh row and fifth column, as the golden file keeps them. */
function thin(data: ArrayLike<number>, [n = 0, c = 0, h = 0, w = 0]: readonly number[]): number[] {
  const kept: number[] = [];
  for (let plane = 0; plane < n * c; plane++) {
    for (let y = 0; y < h; y += 7)
      for (let x = 0; x < w; x += 5) kept.push(data[(plane * h + y) * w + x] ?? Number.NaN);
  }
  return kept;
}

describe("d2l ResNet-18 FCN against PyTorch", () => {
  it("gives PyTorch's logits from the same start", async () => {
    await device.scope(async () => {
      const { net, x } = start();
      net.train();
      const logits = net.forward(x) as Tensor;
      expect(logits.shape).toEqual([golden.batch, golden.classes, golden.height, golden.width]);
      const data = await logits.data();
      expect(Math.abs(norm(data) / golden.logitsNorm - 1)).toBeLessThan(1e-5);
      // About 4600 products a layer's element, twenty layers deep; scale is the size of a logit.
      const size = golden.logitsNorm / Math.sqrt(data.length);
      expectWithin("logits", thin(data, logits.shape), tensorOf(file, "logits"), { terms: 4608 * 20, scale: size });
    });
  }, 120_000);

  it("follows PyTorch's loss curve for 20 steps of SGD", async () => {
    await device.scope(async () => {
      const { net, x, y } = start();
      net.train();
      const sgd = new optim.SGD(net.parameters(), golden.options);
      const losses: number[] = [];
      for (let step = 0; step < golden.losses.length; step++) {
        await device.scope(async () => {
          sgd.zeroGrad();
          const loss = crossEntropy(net.forward(x) as Tensor, y, { ignoreIndex: 255 });
          loss.backward();
          sgd.step();
          losses.push(await loss.item());
        });
      }
      const drift = losses.map((loss, i) => Math.abs(loss / (golden.losses[i] ?? Number.NaN) - 1));
      expect(losses).toHaveLength(20);
      expect(Math.max(...drift), `losses ${losses} want ${golden.losses}`).toBeLessThan(agreement);
      await compareState(net.stateDict());
    });
  }, 600_000);
});

async function compareState(state: Record<string, Tensor>): Promise<void> {
  let watched = 0;
  for (const [name, want] of Object.entries(golden.norms)) {
    const tensor = state[name];
    if (tensor === undefined) throw new Error(`state dict has no ${name}`);
    const data = await tensor.data();
    expect(Math.abs(norm(data) / want - 1), `norm of ${name} after 20 steps`).toBeLessThan(stateAgreement);
    const stored = file.tensors.get(`final.${name}`);
    if (stored === undefined) continue;
    watched++;
    const error = norm(data.map((v, i) => v - (stored.data[i] ?? Number.NaN)));
    expect(error / norm(stored.data), `${name} after 20 steps`).toBeLessThan(stateAgreement);
  }
  expect(watched).toBe(7);
}
