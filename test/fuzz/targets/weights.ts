import { readFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { io } from "@fcn/tensor";
import * as p from "../../support/pickle.js";
import { bundle } from "../../support/tfjs-files.js";
import { join, zip } from "../../support/zip.js";
import type { FileKind } from "../mutate/index.js";
import { Finding, judgeArrays } from "../oracle.js";
import type { Seed, Target } from "../target.js";

type Arrays = Readonly<Record<string, io.HostArray>>;

const GIVEN = "the given bytes";
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const golden = (path: string): Uint8Array => new Uint8Array(readFileSync(joinPath("test/golden", path)));
const seed = (name: string, kind: FileKind, bytes: Uint8Array): Seed => ({ name, kind, bytes });

const ARRAYS: Arrays = {
  w: { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
  n: { dtype: "int64", shape: [], data: BigInt64Array.of(-1n) },
  b: { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 3) },
  d: { dtype: "float64", shape: [1, 2], data: Float64Array.of(0.5, -0.5) },
  t: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
};

/** A reader's arrays must be those that openWeights hands out one by one. */
async function readAndCompare(bytes: Uint8Array, read: (bytes: Uint8Array) => Promise<Arrays>): Promise<string> {
  const arrays = await read(bytes);
  judgeArrays(arrays);
  return `read ${Object.keys(arrays).length} arrays`;
}

/** The same through openWeights, which finds the format out. */
async function openAll(bytes: Uint8Array): Promise<string> {
  return io.openWeights(bytes, async (weights) => {
    const arrays: Record<string, io.HostArray> = {};
    for (const [name, info] of Object.entries(weights.arrays)) {
      const array = await weights.read(name);
      Object.defineProperty(arrays, name, { value: array, enumerable: true, configurable: true });
      if (array.data.byteLength !== info.byteLength) {
        throw new Finding(
          "size",
          `${JSON.stringify(name)}: ${info.byteLength} bytes are announced, ${array.data.byteLength} came`,
        );
      }
      if (String(array.shape) !== String(info.shape))
        throw new Finding("shape", `[${info.shape}], then [${array.shape}]`);
    }
    judgeArrays(arrays);
    for (const text of Object.values(weights.metadata)) {
      if (typeof text !== "string") throw new Finding("metadata", `a value is a ${typeof text}`);
    }
    return `opened ${weights.format}, ${Object.keys(arrays).length} arrays`;
  });
}

const reader = (
  name: string,
  runs: number,
  seeds: () => Seed[] | Promise<Seed[]>,
  read: (bytes: Uint8Array) => Promise<string>,
): Target => ({
  name,
  runs,
  open: async () => ({ seeds: await seeds(), names: [GIVEN], run: (bytes) => read(bytes) }),
});

async function safetensorsSeeds(): Promise<Seed[]> {
  const metadata = { format: "pt", step: "20" };
  const halves = utf8(
    '{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"z":{"dtype":"BF16","shape":[0,3],"data_offsets":[4,4]}}',
  );
  const length = new Uint8Array(8);
  length[0] = halves.length;
  return [
    seed("all dtypes", "safetensors", await io.encodeSafetensors(ARRAYS, { metadata })),
    seed("halves", "safetensors", new Uint8Array([...length, ...halves, 0, 0x3c, 0, 0xc0])),
    seed("nothing", "safetensors", await io.encodeSafetensors({})),
  ];
}

const npy = (descr: string, shape: string, data: Uint8Array, fortran = false, version = 1): Uint8Array => {
  const header = utf8(`{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': ${shape}, }\n`);
  const size = version === 1 ? [header.length, 0] : [header.length, 0, 0, 0];
  return new Uint8Array([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size, ...header, ...data]);
};

async function npySeeds(): Promise<Seed[]> {
  return [
    seed("float32", "npy", await io.encodeNpy(ARRAYS.w as io.HostArray)),
    seed(
      "big-endian, Fortran",
      "npy",
      npy(
        ">i4",
        "(2, 3)",
        Uint8Array.from({ length: 24 }, (_, i) => i),
        true,
        2,
      ),
    ),
    seed("half", "npy", npy("<f2", "(2,)", Uint8Array.of(0, 0x3c, 0, 0xc0), false, 3)),
    seed("scalar", "npy", npy("|b1", "()", Uint8Array.of(1))),
  ];
}

async function npzSeeds(): Promise<Seed[]> {
  const one = npy("<f4", "(2,)", new Uint8Array(8));
  return [
    seed("stored", "zip", await io.encodeNpz(ARRAYS)),
    seed("numpy", "zip", golden("pth/numpy.npz")),
    seed("deflated", "zip", golden("pth/packed.npz")),
    seed("objects", "zip", golden("pth/objects.npz")),
    seed("zip64", "bytes", zip({ "a.npy": { data: one, zip64: true } }, { zip64: true, comment: "c" })),
  ];
}

const FLOATS = new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer);
const WEIGHT = p.tensor(p.storage("0", 6), 0, [2, 3], [3, 1]);

function pthSeeds(): Seed[] {
  const names = ["mixed", "two", "views", "module", "nested", "parameters", "protocol4", "tensor", "sparse", "complex"];
  const hostile = p.pickle(
    p.dict([p.string("w"), WEIGHT], [p.string("x"), p.call(p.global("os", "system"), p.string("ls"))]),
  );
  return [
    ...names.map((name) => seed(name, "zip", golden(`pth/${name}.pth`))),
    seed("deflated", "zip", golden("pth/deflated.pth")),
    seed("parallel", "zip", golden("pth/parallel.pth")),
    seed("by hand", "zip", p.torchZip(p.pickle(p.dict([p.string("w"), WEIGHT])), { 0: FLOATS })),
    seed("hostile", "zip", p.torchZip(hostile, { 0: FLOATS })),
  ];
}

function legacySeeds(): Seed[] {
  const names = ["mixed", "two", "dtypes", "nested", "parameters", "protocol4", "parallel", "views"];
  const data = p.pickle(p.dict([p.string("w"), WEIGHT]));
  return [
    ...names.map((name) => seed(name, "pickles", golden(`pth/${name}.legacy.pth`))),
    seed("by hand", "pickles", p.torchLegacy(data, [["0", 6, FLOATS]])),
  ];
}

/** A field of a protobuf message whose payload has a length. */
const field = (number: number, payload: Uint8Array): Uint8Array => {
  const tag = number < 16 ? [number * 8 + 2] : [((number * 8 + 2) & 0x7f) | 0x80, (number * 8 + 2) >> 7];
  return new Uint8Array([...tag, payload.length, ...payload]);
};
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** NetParameter with a layer of the later format and one of V1 (caffe.proto); numbers packed or each after a tag. */
function caffeSeeds(): Seed[] {
  const shape = field(7, field(1, Uint8Array.of(2, 2)));
  const separate = join(...[1, 2, 3, 4].map((value) => join(Uint8Array.of(5 * 8 + 5), floats(value))));
  const double = join(field(7, field(1, Uint8Array.of(1))), field(8, new Uint8Array(Float64Array.of(7).buffer)));
  const old = join(Uint8Array.of(8, 1, 16, 1, 24, 1, 32, 2), field(5, floats(1, 2)));
  const net = (numbers: Uint8Array): Uint8Array =>
    join(
      field(1, utf8("net")),
      field(
        100,
        join(field(1, utf8("a")), field(2, utf8("Convolution")), field(7, join(shape, numbers)), field(7, double)),
      ),
      field(2, join(field(4, utf8("old")), Uint8Array.of(5 * 8, 4), field(6, old))),
    );
  return [seed("packed", "bytes", net(field(5, floats(1, 2, 3, 4)))), seed("not packed", "bytes", net(separate))];
}

const TFJS = {
  format: "layers-model",
  weightsManifest: [
    {
      paths: ["shard1", "shard2"],
      weights: [
        { name: "a/kernel", dtype: "float32", shape: [1, 3] },
        { name: "c", dtype: "bool", shape: [3] },
        { name: "e", dtype: "float32", shape: [2], quantization: { dtype: "uint8", scale: 0.1, min: -3 } },
        { name: "f", dtype: "float32", shape: [2], quantization: { dtype: "uint16", scale: 0.5, min: 1 } },
        { name: "g", dtype: "float32", shape: [1], quantization: { dtype: "float16" } },
      ],
    },
  ],
};
const SHARDS = [
  Uint8Array.from({ length: 9 }, (_, i) => i),
  Uint8Array.from({ length: 14 }, (_, i) => 20 * i),
] as const;
const bundled = (value: unknown): Uint8Array => utf8(bundle(JSON.stringify(value)));
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");

const tfjs: Target = {
  name: "tfjs",
  runs: 70_000,
  open: async () => ({
    seeds: [
      seed("model.json", "json", utf8(JSON.stringify(TFJS))),
      seed("model.min.js", "text", bundled(TFJS)),
      seed("shard", "bytes", SHARDS[0]),
      seed("shard.min.js", "text", bundled(base64(SHARDS[0]))),
    ],
    names: [GIVEN],
    run: async (bytes, which) => {
      const isBundle = which % 2 === 1;
      const model = which < 2 ? bytes : isBundle ? bundled(TFJS) : utf8(JSON.stringify(TFJS));
      const shard = (path: string): Uint8Array => {
        const plain = SHARDS[path === "shard2" ? 1 : 0];
        if (which >= 2 && path === "shard1") return bytes;
        return isBundle ? bundled(base64(plain)) : plain;
      };
      return readAndCompare(model, (given) => io.readTfjs(given, { shard }));
    },
  }),
};

/** Readers of weights. */
export const WEIGHTS: readonly Target[] = [
  reader("safetensors", 110_000, safetensorsSeeds, async (bytes) => {
    await io.readSafetensorsMetadata(bytes);
    return readAndCompare(bytes, io.readSafetensors);
  }),
  reader("npy", 90_000, npySeeds, async (bytes) => {
    const array = await io.readNpy(bytes);
    judgeArrays({ array });
    return `read ${array.dtype}`;
  }),
  reader("npz", 90_000, npzSeeds, (bytes) => readAndCompare(bytes, io.readNpz)),
  reader("pth", 110_000, pthSeeds, (bytes) => readAndCompare(bytes, io.readPth)),
  reader("pth-legacy", 110_000, legacySeeds, (bytes) => readAndCompare(bytes, io.readPth)),
  reader("caffemodel", 90_000, caffeSeeds, (bytes) => readAndCompare(bytes, io.readCaffemodel)),
  tfjs,
  reader(
    "openWeights",
    80_000,
    async () => [
      ...(await safetensorsSeeds()),
      ...(await npzSeeds()),
      ...pthSeeds(),
      ...legacySeeds(),
      ...caffeSeeds(),
      ...(await npySeeds()),
    ],
    openAll,
  ),
];
