import { truncateSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { createDevice, type Device, io, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dict, pickle, storage, string, tensor, torchZip } from "../../support/pickle.js";
import { refusal } from "../../support/refusals.js";

let device: Device;
let folder: string;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  folder = await mkdtemp(joinPath(tmpdir(), "whole-"));
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

const floats = (count: number, value: number): io.HostArray => ({
  dtype: "float32",
  shape: [count],
  data: new Float32Array(count).fill(value),
});

/** Two arrays of `count` numbers. */
class Pair extends nn.Module {
  constructor(count: number) {
    super();
    this.registerParameter("a", device.zeros([count]));
    this.registerParameter("b", device.zeros([count]));
  }
  forward(x: Tensor): Tensor {
    return x;
  }
  async values(): Promise<number[]> {
    const { a, b } = this.stateDict();
    return [(await a!.data())[0]!, (await b!.data())[0]!];
  }
}

/** The offset of a number of the second array in the file. */
function damage(bytes: Uint8Array, count: number): void {
  const value = new Uint8Array(Float32Array.of(2, 2, 2, 2).buffer);
  const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(value);
  expect(at).toBeGreaterThan(0);
  bytes[at + 4 * Math.floor(count / 2)]! ^= 1;
}

const LARGE = 2 ** 23 + 5;
const encode: Readonly<Record<string, (count: number) => Promise<Uint8Array>>> = {
  npz: (count) => io.encodeNpz({ a: floats(count, 1), b: floats(count, 2) }),
  pth: async (count) => {
    const one = (key: string) => tensor(storage(key, count), 0, [count], [1]);
    const raw = (value: number) => new Uint8Array(floats(count, value).data.buffer);
    return torchZip(pickle(dict([string("a"), one("0")], [string("b"), one("1")])), { 0: raw(1), 1: raw(2) });
  },
  "pth that needs a part of its storage": async (count) => {
    const one = (key: string) => tensor(storage(key, count + 9), 0, [count], [1]);
    const raw = (value: number) => new Uint8Array(floats(count + 9, value).data.buffer);
    return torchZip(pickle(dict([string("a"), one("0")], [string("b"), one("1")])), { 0: raw(1), 1: raw(2) });
  },
};

describe.each(Object.entries(encode))("loadWeights of a damaged file: %s", (_, make) => {
  it.each([1000, LARGE])("of %i numbers an array leaves the module as it was", async (count) => {
    const bytes = await make(count);
    const path = joinPath(folder, "weights");
    using net = new Pair(count);
    damage(bytes, count);
    await writeFile(path, bytes);
    for (const input of count === LARGE ? [path] : [bytes, path]) {
      const error = await refusal(io.loadWeights(net, input));
      expect(error).toMatchObject({
        code: "corrupt-file",
        message: expect.stringContaining("checksum does not match"),
      });
      expect(await net.values()).toEqual([0, 0]);
    }
  });
});

describe("loadWeights of a file that ends while it is read", () => {
  it("leaves a small module as it was", async () => {
    const path = joinPath(folder, "small.safetensors");
    await io.writeSafetensors(path, { a: floats(8, 1), b: floats(8, 2) });
    using net = new Pair(8);
    const rename = (name: string): string => {
      truncateSync(path, 100);
      return name;
    };
    expect(await refusal(io.loadWeights(net, path, { rename }))).toMatchObject({ code: "unreadable-file" });
    expect(await net.values()).toEqual([0, 0]);
  });

  it("says of a large module that it is partly loaded", async () => {
    const path = joinPath(folder, "large.safetensors");
    await io.writeSafetensors(path, { a: floats(LARGE, 1), b: floats(LARGE, 2) });
    using net = new Pair(LARGE);
    // The names are asked for when the header was read and no number was.
    const rename = (name: string): string => {
      truncateSync(path, 4 * LARGE + 1000);
      return name;
    };
    const error = await refusal(io.loadWeights(net, path, { rename }));
    expect(error).toMatchObject({ code: "unreadable-file" });
    expect(error.message).toContain("1 arrays were loaded before");
    expect(error.fix).toContain("do not use the module until it has been loaded again");
  });
});
