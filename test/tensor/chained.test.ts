import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../fcn/data/trees.js";
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

describe("a bundle", () => {
  /** What the code logs in Node, as a module that holds nothing but what it needs. */
  const run = async (code: string): Promise<string> => {
    const folder = await temporaryFolder("fcn-chained");
    const chunks = await bundle(code);
    for (const chunk of chunks) await writeFile(join(folder, chunk.fileName.replace(/js$/, "mjs")), chunk.code);
    return execFileSync(process.execPath, [join(folder, "entry.mjs")], { encoding: "utf8" }).trim();
  };

  it("holds the kernels of what it names, and no others", async () => {
    const kernels = async (code: string) => {
      const text = (await bundle(code)).map((chunk) => chunk.code).join("");
      const known = ["reduce/sum", "softmax/forward", "select/rank", "conv2d/gather-register", "matmul/product"];
      return known.filter((kernel) => text.includes(`"${kernel}"`));
    };
    const using = (names: string) => `import { ${names} } from "@fcn/tensor"; globalThis.used = [${names}];`;
    expect(await kernels(using("createDevice"))).toEqual([]);
    expect(await kernels(using("createDevice, relu"))).toEqual([]);
    expect(await kernels(using("createDevice, mean"))).toEqual(["reduce/sum"]);
    expect(await kernels(using("createDevice, topk"))).toEqual(["select/rank"]);
    expect(await kernels(`import "@fcn/tensor/chained"; ${using("createDevice")}`)).toEqual([
      "reduce/sum",
      "softmax/forward",
    ]);
  });

  it("has the methods whose functions it names, and says of others how to get them", async () => {
    const printed = await run(`
      import { Tensor, relu } from "@fcn/tensor";
      const of = (name) => { try { Tensor.prototype[name].call({}); } catch (error) { return error.code + ": " + error.message; } };
      console.log(typeof relu, of("relu"));
      console.log(of("softmax"));`);
    expect(printed.split("\n")).toEqual([
      "function invalid-argument: relu: x is an object (Object), expected a tensor",
      "unsupported: softmax: this bundle has no method of that name, since nothing imports the function softmax",
    ]);
  });
});
