import * as t from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "../support/bundle.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

it("methods give what the functions of their names give, with gradients", async () => {
  await device.scope(async () => {
    const [x, y] = [device.tensor([1, -2, 3], [3], { requiresGrad: true }), device.tensor([1, 1, -5])];
    const loss = x.add(y).relu().mul(2).mean();
    expect(await loss.item()).toBeCloseTo(4 / 3, 6);
    loss.backward();
    expect(Array.from(await x.grad!.data())).toEqual([Math.fround(2 / 3), 0, 0]);
    const scores = device.tensor([1, 5, 2, 9, 0, 3], [2, 3]);
    expect(await scores.argmax({ dim: 1 }).array()).toEqual([1, 0]);
    expect(await scores.transpose(0, 1).flatten().gt(2).sum().item()).toBe(3);
    expect(scores.unsqueeze(0).expand([4, 2, 3]).shape).toEqual([4, 2, 3]);
    expect(await scores.softmax({ dim: 1 }).sum().item()).toBeCloseTo(2, 5);
    expect(scores.split([1, 2], { dim: 1 }).map(({ shape }) => shape)).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(await scores.clamp({ min: 2, max: 5 }).sub(scores.min()).max().item()).toBe(5);
  });
});

it("methods refuse what the functions refuse, in their words", async () => {
  await device.scope(async () => {
    expect(() => device.ones([2]).add(device.ones([3]))).toThrow("add: shapes [2] and [3] do not broadcast");
    expect(() => device.ones([2]).logicalNot()).toThrow(expect.objectContaining({ code: "invalid-dtype" }));
  });
});

it("a bundle holds the kernels of methods and of what it names, and no others", async () => {
  const kernels = async (names: string) => {
    const chunks = await bundle(`import { ${names} } from "@fcn/tensor"; globalThis.used = [${names}];`);
    const code = chunks.map((chunk) => chunk.code).join("");
    const known = [
      "reduce/sum",
      "softmax/forward",
      "select/rank",
      "conv2d/gather-register",
      "matmul/product",
      "pool/max",
    ];
    return known.filter((kernel) => code.includes(`"${kernel}"`));
  };
  expect(await kernels("createDevice")).toEqual(["reduce/sum", "softmax/forward"]);
  expect(await kernels("createDevice, topk")).toEqual(["reduce/sum", "softmax/forward", "select/rank"]);
});
