import { readFileSync } from "node:fs";
import { io } from "@fcn/tensor";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { caffemodel } from "../../support/caffe.js";
import * as p from "../../support/pickle.js";
import { assertProperty } from "../../support/property.js";
import { readsOrRefuses, refusal } from "../../support/refusals.js";
import { join, zip } from "../../support/zip.js";

const golden = (name: string) => new Uint8Array(readFileSync(new URL(`../../golden/pth/${name}`, import.meta.url)));

interface Sample {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly read: (bytes: Uint8Array) => Promise<Record<string, io.HostArray>>;
  /** A shorter file may be a whole one: protobuf has no end. */
  readonly openEnd?: boolean;
}

let samples: Sample[];
beforeAll(async () => {
  const arrays: Record<string, io.HostArray> = {
    w: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    n: { dtype: "int64", shape: [], data: BigInt64Array.of(-1n) },
    b: { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) },
  };
  const blob = { shape: { dim: [2, 3] }, data: [1, 2, 3, 4, 5, 6] };
  const net = {
    name: "net",
    layer: [{ name: "a", type: "Convolution", blobs: [blob, { shape: { dim: [1] }, doubleData: [7] }] }],
    layers: [{ name: "old", type: 4, blobs: [{ num: 1, channels: 1, height: 1, width: 2, data: [1, 2] }] }],
  };
  const pth = [
    "mixed.pth",
    "mixed.legacy.pth",
    "two.legacy.pth",
    "dtypes.legacy.pth",
    "pytorch_fcn.pth",
    "torchvision.legacy.pth",
    "deflated.pth",
  ];
  const read = (bytes: Uint8Array) => io.readPth(bytes, { key: "" });
  samples = [
    {
      name: "safetensors",
      bytes: await io.encodeSafetensors(arrays, { metadata: { k: "v" } }),
      read: io.readSafetensors,
    },
    { name: "npz", bytes: await io.encodeNpz(arrays), read: io.readNpz },
    { name: "packed npz", bytes: golden("packed.npz"), read: io.readNpz },
    { name: "caffemodel", bytes: caffemodel(net), read: io.readCaffemodel, openEnd: true },
    {
      name: "caffemodel, not packed",
      bytes: caffemodel(net, { packed: false }),
      read: io.readCaffemodel,
      openEnd: true,
    },
    ...pth.map((name) => ({ name, bytes: golden(name), read: name.startsWith("two") ? read : io.readPth })),
  ];
});

const MIB = 2 ** 20;

/** The reader's answer is one clear error, or arrays that are what they say and no larger than the file allows. */
async function check(sample: Sample, bytes: Uint8Array): Promise<void> {
  const start = performance.now();
  const reading = sample.read(bytes);
  await readsOrRefuses(reading);
  await readsOrRefuses(io.openWeights(bytes, ({ arrays }) => Object.keys(arrays)));
  const arrays = await reading.catch(() => ({}));
  let total = 0;
  for (const { shape, data } of Object.values(arrays)) {
    expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
    total += data.byteLength;
  }
  expect(total).toBeLessThanOrEqual(2 * Math.max(64 * MIB, 100 * bytes.length));
  expect(performance.now() - start).toBeLessThan(5000);
}

const anySample = fc.nat().map((n) => samples[n % samples.length]!);

describe("the readers of weights", () => {
  it("refuse a good file that ends early, wherever it ends", async () => {
    for (const sample of samples) {
      const step = Math.ceil(sample.bytes.length / 500);
      for (let length = 0; length < sample.bytes.length; length += step) {
        const cut = sample.bytes.slice(0, length);
        if (sample.openEnd) await readsOrRefuses(sample.read(cut));
        else await refusal(sample.read(cut));
      }
    }
  });

  it("survive bytes that changed", async () => {
    const changes = fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.integer({ min: 1, max: 255 })),
      {
        minLength: 1,
        maxLength: 4,
      },
    );
    await assertProperty(fc.tuple(anySample, changes), 3000, async ([sample, list]) => {
      const bytes = sample.bytes.slice();
      for (const [place, change] of list) bytes[Math.floor(place * bytes.length)]! ^= change;
      await check(sample, bytes);
    });
  });

  it("survive parts that moved, doubled or went missing", async () => {
    const place = fc.double({ min: 0, max: 1, noNaN: true });
    await assertProperty(
      fc.tuple(anySample, place, place, place, fc.boolean()),
      1500,
      async ([sample, a, b, c, insert]) => {
        const { bytes } = sample;
        const [from, to, at] = [a, b, c].map((share) => Math.floor(share * bytes.length)) as [number, number, number];
        const part = bytes.slice(Math.min(from, to), Math.max(from, to));
        const rest = insert ? at : Math.min(at + part.length, bytes.length);
        await check(sample, join(bytes.slice(0, at), part, bytes.slice(rest)));
      },
    );
  });

  it("survive numbers at their limits, at every place", async () => {
    const limits = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n];
    const inputs = fc.tuple(anySample, fc.nat(), fc.constantFrom(...limits), fc.constantFrom(2, 4, 8));
    await assertProperty(inputs, 1500, async ([sample, at, value, size]) => {
      const bytes = sample.bytes.slice();
      for (let i = 0; i < size; i++) bytes[(at + i) % bytes.length] = Number((value >> BigInt(8 * i)) & 0xffn);
      await check(sample, bytes);
    });
  });

  it("refuse noise, whatever it starts with", async () => {
    const starts = [
      [],
      [0x50, 0x4b, 3, 4],
      [0x80, 2],
      [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0],
      [0x0a],
      [0xa2, 6],
      [40, 0, 0, 0, 0, 0, 0, 0, 0x7b],
    ];
    const noise = fc.tuple(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }));
    await assertProperty(noise, 1000, async ([start, tail]) => {
      const bytes = join(Uint8Array.from(start), tail);
      await readsOrRefuses(io.openWeights(bytes, ({ arrays }) => Object.keys(arrays)));
      for (const read of [io.readSafetensors, io.readNpz, io.readPth, io.readCaffemodel, io.readNpy])
        await readsOrRefuses(read(bytes));
    });
  });
});

describe("the pickle reader", () => {
  const floats = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
  const weight = p.tensor(p.storage("0", 6), 0, [2, 3], [3, 1]);
  const names = [
    ["os", "system"],
    ["builtins", "eval"],
    ["builtins", "set"],
    ["collections", "OrderedDict"],
    ["torch._utils", "_rebuild_tensor_v2"],
    ["torch._utils", "_rebuild_parameter"],
    ["torch._tensor", "_rebuild_from_type_v2"],
    ["torch", "FloatStorage"],
    ["torch", "float32"],
    ["argparse", "Namespace"],
    ["_codecs", "encode"],
  ] as const;
  const byte = (value: number) => Uint8Array.of(value);
  /** Steps of a pickle, some with an operand; the machine's rules are not kept. */
  const step = fc.oneof(
    fc.constantFrom(
      p.MARK,
      p.REDUCE,
      p.BUILD,
      p.NEWOBJ,
      p.STACK_GLOBAL,
      p.NONE,
      p.EMPTY_DICT,
      p.EMPTY_LIST,
      p.EMPTY_TUPLE,
      p.PERSISTENT,
      weight,
    ),
    fc
      .constantFrom(..."0123lteaudsiob}])(".split(""), "\x85", "\x86", "\x87", "\x8f", "\x90", "\x91", "\x92", "\x94")
      .map((c) => byte(c.charCodeAt(0))),
    fc.constantFrom(...names).map(([module, name]) => p.global(module, name)),
    fc.integer({ min: -3, max: 300 }).map(p.int),
    fc.constantFrom("0", "storage", "weight", "__proto__").map(p.string),
    fc.nat({ max: 3 }).map(p.put),
    fc.nat({ max: 3 }).map(p.get),
    fc.nat({ max: 255 }).map(byte),
  );

  it("survives any sequence of steps, and lets none of them reach for code", async () => {
    await assertProperty(fc.array(step, { maxLength: 40 }), 4000, async (steps) => {
      const data = p.pickle(...steps);
      for (const file of [p.torchZip(data, { 0: floats }), p.torchLegacy(data, [["0", 6, floats]])]) {
        await readsOrRefuses(io.readPth(file));
      }
      const beside = p.pickle(p.dict([p.string("w"), weight], [p.string("x"), join(p.NONE, ...steps)]));
      await readsOrRefuses(io.readPth(p.torchZip(beside, { 0: floats })));
    });
  });

  it("describes a tensor right, or not at all", async () => {
    const size = fc.integer({ min: -1, max: 4 });
    const shape = fc.array(size, { maxLength: 4 });
    await assertProperty(fc.tuple(shape, shape, size), 1000, async ([sizes, strides, offset]) => {
      const data = p.pickle(p.dict([p.string("w"), p.tensor(p.storage("0", 6), offset, sizes, strides)]));
      const read = await io.readPth(p.torchZip(data, { 0: floats })).catch((error: unknown) => error);
      const last = offset + sizes.reduce((total, n, i) => total + (n - 1) * (strides[i] ?? Number.NaN), 0);
      const valid = sizes.length === strides.length && [...sizes, ...strides, offset].every((n) => n >= 0);
      const fits = valid && (sizes.includes(0) || last < 6);
      if (!fits) {
        expect(read).toMatchObject({ code: "corrupt-file" });
        return;
      }
      let wanted = [offset];
      sizes.forEach((n, dim) => {
        wanted = wanted.flatMap((at) => Array.from({ length: n }, (_, i) => at + i * strides[dim]!));
      });
      expect((read as Record<string, io.HostArray>).w).toEqual({
        dtype: "float32",
        shape: sizes,
        data: Float32Array.from(wanted),
      });
    });
  });
});

describe("zip archives of arrays", () => {
  it("survive records that lie", async () => {
    const data = golden("packed.npz").slice(0, 60);
    const claim = fc.constantFrom(undefined, 0, 1, 60, 61, 0xffff, 0x7fffffff, 0xffffffff);
    const part = fc.record({
      deflate: fc.boolean(),
      claimedSize: claim,
      claimedPacked: claim,
      claimedOffset: claim,
      zip64: fc.boolean(),
      flags: fc.constantFrom(0, 1, 8),
      method: fc.constantFrom(undefined, 0, 8, 9),
    });
    await assertProperty(fc.tuple(fc.array(part, { maxLength: 4 }), fc.boolean()), 800, async ([parts, zip64]) => {
      const files = parts.map(
        (claims, i) =>
          [
            `a${i}.npy`,
            Object.fromEntries(Object.entries({ ...claims, data }).filter(([, value]) => value !== undefined)),
          ] as const,
      );
      await readsOrRefuses(io.readNpz(zip(files as never, { zip64 })));
    });
  });
});
