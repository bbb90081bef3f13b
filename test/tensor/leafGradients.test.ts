import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const leaf = (values: readonly number[]) => device.tensor(values, [values.length], { requiresGrad: true });
const values = async (x: t.Tensor) => Array.from(await x.data());
const near = (numbers: number[]) => numbers.map((v) => expect.closeTo(v, 5));

describe("the gradient of a leaf is memory of its own", () => {
  it("also where one gradient flows to two leaves, to views of them, or is the caller's", async () => {
    await device.scope(async () => {
      const [a, b, c] = [leaf([1, 1]), leaf([2, 2]), leaf([0, 0])];
      const given = device.tensor([3, 4]);
      t.add(t.add(a, b), c.reshape([1, 2]).reshape([2])).backward(given);
      a.grad!.assign([0, 0]);
      expect([await values(b.grad!), await values(c.grad!), await values(given)]).toEqual([
        [3, 4],
        [3, 4],
        [3, 4],
      ]);
      const d = leaf([1, 1]);
      d.backward(given);
      d.grad!.assign([9, 9]);
      expect(await values(given)).toEqual([3, 4]);
    });
  });

  it("so clipGradNorm scales each once", async () => {
    await device.scope(async () => {
      const [a, b] = [leaf([1, 1]), leaf([2, 2])];
      t.add(a, b).backward(device.tensor([3, 4]));
      const norm = t.optim.clipGradNorm([a, b], 1);
      expect(await norm.item()).toBeCloseTo(Math.sqrt(50), 5);
      // torch.nn.utils.clip_grad_norm_
      expect([await values(a.grad!), await values(b.grad!)]).toEqual([
        near([0.424264, 0.565685]),
        near([0.424264, 0.565685]),
      ]);
    });
  });
});

describe("a gradient that is set must fit its tensor", () => {
  it("in shape, type and device", async () => {
    using other = await t.createDevice({ quiet: true });
    await device.scope(() => {
      const a = leaf([1, 2]);
      const set = (grad: t.Tensor) => () => {
        a.grad = grad;
      };
      expect(set(device.ones([3]))).toThrow(expect.objectContaining({ code: "invalid-shape" }));
      expect(set(device.ones([2], { dtype: "int32" }))).toThrow(expect.objectContaining({ code: "invalid-dtype" }));
      expect(set(other.ones([2]))).toThrow(expect.objectContaining({ code: "device-mismatch" }));
      expect(a.grad).toBeUndefined();
      expect(() => t.mul(a, 2).backward(other.ones([2]))).toThrow(expect.objectContaining({ code: "device-mismatch" }));
    });
  });
});

describe("a result", () => {
  it("is no parameter, and cannot be cut from its history", async () => {
    await device.scope(() => {
      const y = t.mul(leaf([1, 2]), 2);
      expect(() => new t.optim.SGD([y])).toThrow(/parameter 0 of shape \[2\] is a result of mul/);
      expect(() => {
        y.requiresGrad = false;
      }).toThrow(expect.objectContaining({ fix: expect.stringContaining("detach") }));
      y.requiresGrad = true;
      const x = leaf([1]);
      x.requiresGrad = false;
      expect(t.mul(x, 2).requiresGrad).toBe(false);
    });
  });
});

describe("operands that share memory with what is changed", () => {
  it("are right in addInto and assign", async () => {
    await device.scope(async () => {
      const x = device.tensor([1, 2, 3, 4], [2, 2]);
      t.addInto(x, x, { begin: [0, 0] });
      expect(await values(x)).toEqual([2, 4, 6, 8]);
      t.addInto(x, x.permute([1, 0]), { begin: [0, 0] });
      expect(await values(x)).toEqual([4, 10, 10, 16]);
      x.assign(x);
      x.assign(x.detach());
      expect(await values(x)).toEqual([4, 10, 10, 16]);
      const y = device.tensor([1, 2, 3, 4], [2, 2]);
      y.assign(y.permute([1, 0]));
      expect(await values(y)).toEqual([1, 3, 2, 4]);
    });
  });

  it("are refused by name elsewhere", async () => {
    await device.scope(async () => {
      const [x, w] = [device.randn([2, 2, 3, 3], { seed: 1 }), device.ones([2])];
      const shared = () => t.batchNorm(x, { runningMean: w, runningVar: w, training: true });
      expect(shared).toThrow(
        expect.objectContaining({ code: "invalid-argument", message: expect.stringContaining("batchNorm") }),
      );
      const parameter = leaf([1, 2]);
      parameter.grad = parameter;
      using optimizer = new t.optim.SGD([parameter]);
      expect(() => optimizer.step()).toThrow(expect.objectContaining({ code: "invalid-argument" }));
      parameter.grad = undefined;
      await device.sync();
    });
  });
});
