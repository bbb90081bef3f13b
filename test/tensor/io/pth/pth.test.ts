import { readFileSync } from "node:fs";
import { io, TensorError } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { dict, EMPTY_LIST, get, int, list, pickle, put, string, torchZip, tuple } from "../../../support/pickle.js";
import { formats, weight } from "../../../support/pth-files.js";
import { join } from "../../../support/zip.js";

const golden = (name: string) => new URL(`../../../golden/pth/${name}`, import.meta.url);

interface Expected {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}
const EXPECTED = JSON.parse(readFileSync(golden("expected.json"), "utf8")) as Record<string, Record<string, Expected>>;

/** Numbers that JSON does not have stand as text in the file. */
function parse(value: number | string, dtype: string): number | bigint {
  if (dtype === "int64") return BigInt(value);
  if (value === "True" || value === "False") return Number(value === "True");
  return Number(String(value).replace("inf", "Infinity"));
}

function expectSame(read: Record<string, io.HostArray>, expected: Record<string, Expected>): void {
  expect(Object.keys(read)).toEqual(Object.keys(expected));
  for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
    expect({ name, dtype: read[name]?.dtype, shape: read[name]?.shape }).toEqual({ name, dtype, shape });
    const numbers = Array.from<number | bigint>(read[name]!.data as Float32Array);
    expect({ name, numbers }).toEqual({ name, numbers: values.map((value) => parse(value, dtype)) });
  }
}

describe.each([
  ["zip", ".pth"],
  ["legacy", ".legacy.pth"],
])("readPth of the %s format", (_, suffix) => {
  it.each(["dtypes", "protocol4", "views", "parameters", "torchvision", "pytorch_fcn", "nested", "mixed"])(
    "gives PyTorch's values of %s",
    async (name) => {
      expectSame(await io.readPth(golden(name + suffix)), EXPECTED[name]!);
    },
  );

  it("reads bytes as it reads a path", async () => {
    const bytes = new Uint8Array(readFileSync(golden(`views${suffix}`)));
    expectSame(await io.readPth(bytes), EXPECTED.views!);
    expectSame(await io.readPth(bytes.slice().buffer), EXPECTED.views!);
  });

  it("gives tied tensors arrays of their own", async () => {
    const { base, tied } = await io.readPth(golden(`views${suffix}`));
    expect(tied?.data).toEqual(base?.data);
    expect(tied?.data.buffer).not.toBe(base?.data.buffer);
  });

  it("drops module. where every name has it, unless told to keep it", async () => {
    const file = golden(`parallel${suffix}`);
    expectSame(await io.readPth(file), EXPECTED.parallel!);
    const kept = await io.readPth(file, { unwrap: false });
    expect(Object.keys(kept)).toEqual(Object.keys(EXPECTED.parallel!).map((name) => `module.${name}`));
  });

  it("lets the caller choose among state dicts, and asks where none has a usual name", async () => {
    const { generator, critic } = {
      generator: await io.readPth(golden(`two${suffix}`), { key: "generator" }),
      critic: await io.readPth(golden(`two${suffix}`), { key: "critic" }),
    };
    expect([generator.w?.data, critic.w?.data]).toEqual([Float32Array.of(1, 1), Float32Array.of(0, 0)]);
    await expect(io.readPth(golden(`two${suffix}`))).rejects.toMatchObject({
      code: "ambiguous-checkpoint",
      message: expect.stringMatching(/several state dicts: generator \(1 entries\), critic \(1 entries\)/),
      fix: expect.stringContaining('{ key: "critic" }'),
    });
    await expect(io.readPth(golden(`two${suffix}`), { key: "nobody" })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining('no state dict at the key "nobody"'),
    });
    const ema = await io.readPth(golden(`torchvision${suffix}`), { key: "model_ema" });
    expect(ema).toEqual({ n: { dtype: "int64", shape: [], data: BigInt64Array.of(7n) } });
    expectSame(await io.readPth(golden(`nested${suffix}`), { key: "checkpoint.weights" }), EXPECTED.nested!);
  });
});

describe("openWeights of a checkpoint", () => {
  it("finds the state dict in a list or tuple, and asks where there are several", async () => {
    const net = dict([string("w"), weight]);
    const [pair, several] = [tuple(net, dict([string("lr"), int(1)])), list(net, dict([string("w"), weight]))];
    for (const [data, key] of [
      [pair, "0"],
      [dict([string("best"), pair]), "best.0"],
    ] as const) {
      for (const [, file] of formats(pickle(data))) {
        const found = await io.openWeights(file, async ({ key, read }) => [key, (await read("w")).data]);
        expect(found).toEqual([key, Float32Array.of(0, 1, 2, 3, 4, 5)]);
      }
    }
    for (const [, file] of formats(pickle(dict([string("models"), several])))) {
      await expect(io.readPth(file)).rejects.toMatchObject({
        code: "ambiguous-checkpoint",
        details: { keys: ["models.0", "models.1"] },
      });
      expect(Object.keys(await io.readPth(file, { key: "models.1" }))).toEqual(["w"]);
    }
  });

  it("looks once into a list that many others hold", async () => {
    let data = join(EMPTY_LIST, put(0));
    for (let depth = 0; depth < 3; depth++) {
      data = join(list(data, ...Array.from({ length: 3000 }, () => get(depth))), put(depth + 1));
    }
    await expect(io.readPth(torchZip(pickle(data)))).rejects.toMatchObject({
      code: "unsupported-file",
      message: expect.stringContaining("it holds a list, but no dict of tensors"),
    });
  });

  it("tells where the state dict was, what stands beside it, and what in it is no tensor", async () => {
    await io.openWeights(golden("pytorch_fcn.pth"), (weights) => {
      expect(weights).toMatchObject({ format: "pth", key: "model_state_dict", ignored: [] });
      expect(weights.metadata).toEqual({ epoch: "11", iteration: "96000", arch: "FCN32s" });
      expect(Object.keys(weights.arrays)).toEqual(Object.keys(EXPECTED.pytorch_fcn!));
    });
    await io.openWeights(golden("nested.legacy.pth"), (weights) => {
      expect(weights.key).toBe("checkpoint.weights");
      expect(weights.metadata).toEqual({ note: "é\n" });
    });
    await io.openWeights(golden("mixed.pth"), ({ key, ignored }) => {
      expect({ key, ignored }).toEqual({ key: undefined, ignored: ["steps", "none"] });
    });
  });

  it("knows the types in the file before it reads", async () => {
    await io.openWeights(golden("dtypes.pth"), ({ arrays }) => {
      expect(arrays.float16).toMatchObject({ dtype: "float32", stored: "float16", shape: [2, 3] });
      expect(arrays.bfloat16).toMatchObject({ dtype: "float32", stored: "bfloat16" });
      expect(arrays.bool).toMatchObject({ dtype: "bool", stored: "bool" });
    });
  });
});

describe("readPth of other archives", () => {
  it("takes a byte order that is named, and archives that were packed again", async () => {
    expectSame(await io.readPth(golden("little_endian.pth")), EXPECTED.views!);
    expectSame(await io.readPth(golden("deflated.pth")), EXPECTED.views!);
  });

  it.each([
    ["big_endian.pth", "unsupported-file", "its numbers are big-endian"],
    ["script.pth", "unsupported-file", "it is a TorchScript archive"],
    ["module.pth", "unsafe-pickle", "asks for __main__.Net"],
    ["tensor.pth", "unsupported-file", "it holds one tensor, but no dict of tensors by name"],
    ["complex.pth", "unsupported-file", "tensor w has the dtype complex64"],
    ["sparse.pth", "unsupported-file", "tensor w is sparse"],
    ["numpy.npz", "unsupported-file", "it is a zip archive without data.pkl"],
    ["expected.json", "unsupported-file", "it is a JSON file, not a PyTorch file"],
  ])("refuses %s", async (name, code, problem) => {
    const error = await io.readPth(golden(name)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({ code, message: expect.stringContaining(problem), fix: expect.stringMatching(/\S/) });
  });

  it("says of a net that was saved as an object what to save", async () => {
    const error = await io.readPth(golden("module.pth")).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ fix: expect.stringContaining("torch.save(torch.load(path).state_dict()") });
  });

  it("reads a class that the caller names as inert data", async () => {
    const opaque = ["__main__.Net", "torch.nn.modules.conv.Conv2d", "torch.nn.modules.batchnorm.BatchNorm2d"];
    await expect(io.readPth(golden("module.pth"), { opaque })).rejects.toMatchObject({
      code: "unsupported-file",
      message: expect.stringContaining("it holds an object of __main__.Net, but no dict of tensors"),
    });
  });
});
