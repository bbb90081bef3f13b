import { createDevice, crossEntropy, type Device, logSoftmax, nllLoss } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const SHAPE = [2, 5, 3, 7];
const labels = () =>
  device.tensor(
    Array.from({ length: 42 }, (_, i) => (i % 6 === 5 ? 255 : i % 6)),
    [2, 3, 7],
    { dtype: "int32" },
  );

// crossEntropy has goldens of PyTorch of its own, weights among them.
describe("nllLoss of log-probabilities", () => {
  it.each(["mean", "sum", "none"] as const)("is the cross-entropy of the scores, weighted, with reduction %s", (by) =>
    device.scope(async () => {
      const target = labels();
      const options = { reduction: by, weight: device.tensor([0.5, 2, 1, 0.25, 3]) };
      const results = [];
      for (const loss of [crossEntropy, nllLoss]) {
        const scores = device.randn(SHAPE, { seed: 3, requiresGrad: true });
        const y = loss(loss === nllLoss ? logSoftmax(scores, { dim: 1 }) : scores, target, options);
        y.sum().backward();
        results.push([await y.data(), await scores.grad!.data()] as const);
      }
      const [[wanted, wantedGrad], [got, grad]] = results as [(typeof results)[0], (typeof results)[0]];
      expect(got.length).toBe(by === "none" ? 42 : 1);
      for (const [i, value] of got.entries()) expect(value).toBeCloseTo(wanted[i]!, by === "sum" ? 3 : 5);
      for (const [i, value] of grad.entries()) expect(value).toBeCloseTo(wantedGrad[i]!, 5);
    }),
  );

  it("takes halves, frees what it makes, and refuses what does not fit", () =>
    device.scope(async () => {
      const target = labels();
      const x = logSoftmax(device.randn(SHAPE, { seed: 1 }), { dim: 1 });
      const weight = device.ones([5]);
      const { liveTensors } = device.memory();
      const y = nllLoss(x, target, { weight });
      expect(device.memory().liveTensors).toBe(liveTensors + 1);
      const half = nllLoss(x.to("float16"), target, { weight });
      expect(half.dtype).toBe("float32");
      expect(await half.item()).toBeCloseTo(await y.item(), 2);
      expect(await nllLoss(x, device.full([2, 3, 7], 9, { dtype: "int32" })).item()).toBeNaN();
      expect(() => nllLoss(x, device.zeros([2, 3], { dtype: "int32" }))).toThrow(
        /nllLoss: target has shape \[2, 3\], logProbabilities have shape \[2, 5, 3, 7\]/,
      );
      expect(() => nllLoss(x, x)).toThrow(/nllLoss: target/);
      expect(() => nllLoss(x, target, { weight: device.ones([4]) })).toThrow(/weight has shape \[4\]/);
    }));
});
