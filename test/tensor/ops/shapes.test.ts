import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, type Nd, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

const DEVICES = {
  whole: { debug: { poison: true } },
  parts: { bindingLimit: 1024, debug: { poison: true } },
} as const;
const devices: Record<string, t.Device> = {};
beforeAll(async () => {
  for (const [name, options] of Object.entries(DEVICES)) {
    devices[name] = await t.createDevice({ quiet: true, ...options });
  }
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

const shaped = (x: Nd, shape: readonly number[]): Nd => ({ shape, data: x.data });
const swapped = (x: Nd): Nd => {
  const [a, b, c, d] = x.shape as [number, number, number, number];
  return build([a, d, c, b], ([i, j, k, l]) => at(x, [i!, l!, k!, j!]));
};

describe.each(Object.keys(DEVICES))("on a device that computes %s", (name) => {
  const SHAPE = [1, 7, 1, 53];
  const moves: Record<string, [(x: t.Tensor) => t.Tensor, (x: Nd) => Nd]> = {
    unsqueeze: [(x) => t.unsqueeze(x, 2), (x) => shaped(x, [1, 7, 1, 1, 53])],
    "unsqueeze at the end": [(x) => t.unsqueeze(x, -1), (x) => shaped(x, [1, 7, 1, 53, 1])],
    squeeze: [(x) => t.squeeze(x), (x) => shaped(x, [7, 53])],
    "squeeze of a dim": [(x) => t.squeeze(x, { dim: [-2, 1] }), (x) => shaped(x, [1, 7, 53])],
    transpose: [(x) => t.transpose(x, 1, -1), swapped],
    flatten: [(x) => t.flatten(x), (x) => shaped(x, [371])],
    "flatten of dims": [(x) => t.flatten(x, { startDim: 1, endDim: 2 }), (x) => shaped(x, [1, 7, 53])],
    expand: [(x) => t.expand(x, [2, 3, -1, 2, 53]), (x) => build([2, 3, 7, 2, 53], (i) => at(x, i))],
    stack: [
      (x) => {
        using twice = t.mul(x, 2);
        return t.stack([x, twice, x], { dim: -2 });
      },
      (x) => build([1, 7, 1, 3, 53], ([a, b, c, i, d]) => at(x, [a!, b!, c!, d!]) * (i === 1 ? 2 : 1)),
    ],
    split: [
      (x) => t.concat([...t.split(x, 20, { dim: -1 })].reverse(), { dim: -1 }),
      (x) => build(SHAPE, ([a, b, c, d]) => at(x, [a!, b!, c!, d! < 13 ? d! + 40 : d! < 33 ? d! + 7 : d! - 33])),
    ],
    "split by sizes": [
      (x) => t.split(x, [2, 4, 1], { dim: 1 })[1]!,
      (x) => build([1, 4, 1, 53], ([a, b, c, d]) => at(x, [a!, b! + 2, c!, d!])),
    ],
    chunk: [
      (x) => t.chunk(x, 3, { dim: 1 })[2]!,
      (x) => build([1, 1, 1, 53], ([a, b, c, d]) => at(x, [a!, b! + 6, c!, d!])),
    ],
  };
  it.each(Object.keys(moves))("%s, with its gradient, in any storage order", (move) => {
    const [run, reference] = moves[move]!;
    return assertProperty(fc.tuple(orderOf(4), fc.integer({ min: 0, max: 1e6 })), 4, ([order, seed]) =>
      gradCheck(devices[name]!, { inputs: [random(SHAPE, seed)], orders: [order], seed, run, reference }),
    );
  });
});

it("take integers, and as many parts as torch.chunk gives", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    const x = device.tensor([2 ** 24 + 1, 2, 3, 4, 5, 6], [6], { dtype: "int32" });
    const parts = t.chunk(x, 4);
    expect(parts.map(({ shape }) => shape)).toEqual([[2], [2], [2]]);
    expect(await t.stack([parts[0]!, parts[2]!]).array()).toEqual([
      [2 ** 24 + 1, 2],
      [5, 6],
    ]);
    expect(t.flatten(device.full([], 3)).shape).toEqual([1]);
  });
});

it("what does not fit is refused", async () => {
  const device = devices.whole!;
  await device.scope(async () => {
    const x = device.ones([2, 3]);
    expect(() => t.expand(x, [2, 4])).toThrow("expand: [2, 3] does not broadcast to [2, 4]");
    expect(() => t.expand(x, [3])).toThrow(expect.objectContaining({ code: "invalid-shape" }));
    expect(() => t.split(x, [1, 1], { dim: 1 })).toThrow("do not add up to 3");
    expect(() => t.chunk(x, 0)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(() => t.stack([x, device.ones([3, 2])])).toThrow(expect.objectContaining({ code: "invalid-shape" }));
    expect(() => t.stack([])).toThrow("an empty one");
    expect(() => t.unsqueeze(x, 3)).toThrow("dim is 3");
    expect(() => t.flatten(x, { startDim: 1, endDim: 0 })).toThrow("startDim 1 comes after endDim 0");
    expect(() => t.unsqueeze(device.ones([1, 1, 1, 1, 1, 1, 1, 1]), 0)).toThrow("at most 8");
  });
});
