import { readFileSync } from "node:fs";
import { createDevice, type Device, mul, nn, optim, sum, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

interface Golden {
  readonly shapes: readonly number[][];
  readonly decay: number;
  readonly steps: readonly { parameters: number[][]; averages: number[][] }[];
}

const file = new URL("../../golden/torch_nn.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")).averages as Golden;

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, bindingLimit: 65536, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const values = async (t: Tensor): Promise<number[]> => Array.from(await t.data());

describe("ExponentialMovingAverage", () => {
  it.each([false, true])("goes the way of PyTorch's, in a captured step: %s", async (isCaptured) => {
    await device.scope(async () => {
      const [first, ...rest] = golden.steps;
      const params = golden.shapes.map((shape, i) =>
        device.tensor(first!.parameters[i]!, shape, { requiresGrad: true }),
      );
      using average = new optim.ExponentialMovingAverage(params, { decay: golden.decay });
      const work = (...given: Tensor[]): void => {
        for (const [i, parameter] of params.entries()) parameter.assign(given[i]!);
        average.update();
      };
      using captured = device.capture(work);
      for (const { parameters, averages } of rest) {
        const given = parameters.map((data, i) => device.tensor(data, golden.shapes[i]!));
        if (isCaptured) await captured(...given);
        else work(...given);
        for (const [i, own] of average.averages.entries()) {
          expect(await values(own)).toEqual(averages[i]!.map((v) => expect.closeTo(v, 6)));
          expect(await values(params[i]!)).toEqual(parameters[i]!.map(Math.fround));
        }
      }
    });
  });

  it("averages weights of any memory order and size", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 3, 4, { kernelSize: 3, seed: 1 });
      const big = device.randn([40_003], { seed: 2 });
      const params = [...conv.parameters(), big];
      using average = new optim.ExponentialMovingAverage(params, { decay: 0.75 });
      const before = await Promise.all(params.map(values));
      for (const [i, parameter] of params.entries()) nn.init.normal_(parameter, { seed: i });
      const after = await Promise.all(params.map(values));
      average.update();
      for (const [i, own] of (await Promise.all(average.averages.map(values))).entries()) {
        const off = own.map((v, k) => Math.abs(v - (0.75 * before[i]![k]! + 0.25 * after[i]![k]!)));
        expect(off.reduce((most, v) => Math.max(most, v), 0)).toBeLessThan(1e-6);
      }
    });
  });

  it("exchanges and copies its averages, and lets training go on", async () => {
    await device.scope(async () => {
      const w = device.tensor([1, 2], [2], { requiresGrad: true });
      using average = new optim.ExponentialMovingAverage([w], { decay: 0.5 });
      w.assign([3, 6]);
      average.update();
      average.swap();
      expect([await values(w), await values(average.averages[0]!)]).toEqual([
        [2, 4],
        [3, 6],
      ]);
      average.swap();
      expect([await values(w), await values(average.averages[0]!)]).toEqual([
        [3, 6],
        [2, 4],
      ]);
      sum(mul(w, w)).backward();
      new optim.SGD([w], { lr: 0.25 }).step();
      expect(await values(w)).toEqual([1.5, 3]);
      average.copyTo();
      expect([await values(w), await values(average.averages[0]!)]).toEqual([
        [2, 4],
        [2, 4],
      ]);
      average.decay = 0;
      w.assign([7, 8]);
      average.update();
      expect(await values(average.averages[0]!)).toEqual([7, 8]);
      expect(w.requiresGrad).toBe(true);
    });
  });

  it("is saved and loaded, outlives scopes, and gives its memory back", async () => {
    await device.scope(async () => {
      const w = device.tensor([1, 2]);
      const { liveTensors } = device.memory();
      const average = await device.scope(() => new optim.ExponentialMovingAverage([w], { decay: 0.5 }));
      w.assign([3, 4]);
      await device.scope(() => average.update());
      const other = new optim.ExponentialMovingAverage([w]);
      other.loadStateDict(average.stateDict());
      expect(await values(other.averages[0]!)).toEqual([2, 3]);
      other.loadStateDict({ "0.average": { dtype: "float32", shape: [2], data: Float32Array.of(8, 9) } });
      expect(await values(other.averages[0]!)).toEqual([8, 9]);
      expect(() => other.loadStateDict({ "1.average": device.zeros([2]) })).toThrow(
        "ExponentialMovingAverage.loadStateDict: 0.average is missing; 1.average is unexpected",
      );
      expect(() => other.loadStateDict({ "0.average": device.zeros([3]) })).toThrow(/is \[3\], expected \[2\]/);
      average.dispose();
      other.dispose();
      expect(device.memory().liveTensors).toBeLessThanOrEqual(liveTensors + 2);
    });
  });

  it("refuses what it cannot average", async () => {
    await device.scope(() => {
      const w = device.zeros([1]);
      expect(() => new optim.ExponentialMovingAverage([])).toThrow("ExponentialMovingAverage: there are no parameters");
      expect(() => new optim.ExponentialMovingAverage(w as never)).toThrow(/params is/);
      expect(() => new optim.ExponentialMovingAverage([w], { decay: 1.5 })).toThrow(
        /decay is 1.5, expected a number from 0 to 1/,
      );
      const labels = device.zeros([1], { dtype: "int32" });
      expect(() => new optim.ExponentialMovingAverage([w, labels])).toThrow(/parameter 1 .* dtype int32/);
    });
  });
});
