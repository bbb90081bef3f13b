import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { io, TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGolden, tensorOf } from "../../../support/golden.js";
import { assertProperty } from "../../../support/property.js";
import { bundle, nsfwjsModel, type TfjsFiles, writeTfjs } from "../../../support/tfjs-files.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tfjs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const bytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const textBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** One weight of every dtype and every quantisation, and what reading it must give. */
const WEIGHTS: readonly { spec: Record<string, unknown>; stored: ArrayBufferView; values: number[] }[] = [
  {
    spec: { name: "a/kernel", dtype: "float32", shape: [1, 3] },
    stored: Float32Array.of(1.5, -2, 0.25),
    values: [1.5, -2, 0.25],
  },
  { spec: { name: "b", dtype: "int32", shape: [2] }, stored: Int32Array.of(-7, 2 ** 30), values: [-7, 2 ** 30] },
  { spec: { name: "c", dtype: "bool", shape: [3] }, stored: Uint8Array.of(1, 0, 1), values: [1, 0, 1] },
  { spec: { name: "d", dtype: "uint8", shape: [] }, stored: Uint8Array.of(200), values: [200] },
  {
    spec: { name: "e", dtype: "float32", shape: [2], quantization: { dtype: "uint8", scale: 0.1, min: -3 } },
    stored: Uint8Array.of(0, 255),
    values: [-3, Math.fround(255 * 0.1 - 3)],
  },
  {
    spec: { name: "f", dtype: "float32", shape: [2], quantization: { dtype: "uint16", scale: 0.5, min: 1 } },
    stored: Uint16Array.of(3, 65535),
    values: [2.5, 32768.5],
  },
  {
    spec: { name: "g", dtype: "float32", shape: [3], quantization: { dtype: "float16" } },
    stored: Uint16Array.of(0x3c00, 0xc000, 0x0001),
    values: [1, -2, 2 ** -24],
  },
  {
    spec: { name: "h", dtype: "int32", shape: [3], quantization: { dtype: "uint8", scale: 1.5, min: -10 } },
    stored: Uint8Array.of(0, 1, 3),
    values: [-10, -8, -5],
  },
  { spec: { name: "none", dtype: "float32", shape: [0, 4] }, stored: new Float32Array(0), values: [] },
];
const ALL_BYTES = Uint8Array.from(WEIGHTS.flatMap(({ stored }) => [...bytesOf(stored)]));
const SPECS = WEIGHTS.map(({ spec }) => spec);

/** The weights in one group, their bytes cut at `cuts` into shards. */
function filesOf(cuts: readonly number[]): TfjsFiles {
  const ends = [...cuts, ALL_BYTES.length];
  const shards = ends.map((end, i): [string, Uint8Array] => [
    `group1-shard${i + 1}`,
    ALL_BYTES.slice(ends[i - 1] ?? 0, end),
  ]);
  const model = { modelTopology: {}, weightsManifest: [{ paths: shards.map(([path]) => path), weights: SPECS }] };
  return { model, shards: Object.fromEntries(shards) };
}

function expectAll(read: Readonly<Record<string, io.HostArray>>): void {
  expect(Object.keys(read)).toEqual(SPECS.map(({ name }) => name));
  for (const { spec, values } of WEIGHTS) {
    const array = read[spec.name as string];
    expect(array).toMatchObject({ dtype: spec.dtype, shape: spec.shape });
    expect(Array.from(array?.data as Float32Array)).toEqual(values);
  }
}

/** Reads from memory. */
const readFiles = ({ model, shards }: TfjsFiles) =>
  io.readTfjs(textBytes(JSON.stringify(model)), { shard: (path) => shards[path] as Uint8Array });
const failure = (reading: Promise<unknown>): Promise<TensorError> =>
  reading.then(
    () => expect.fail("read without an error"),
    (error: unknown) => error as TensorError,
  );

describe("readTfjs", () => {
  it.each([
    ["mobilenet_v2", 266],
    ["mobilenet_v2_mid", 108],
    ["inception_v3", 382],
  ] as const)("reads %s from nsfwjs, value for value as tfjs does", async (name, count) => {
    const read = Object.values(await io.readTfjs(nsfwjsModel(name)));
    expect(read).toHaveLength(count);
    const samples = read.flatMap(({ data }) => [data[0], data[data.length >> 1], data[data.length - 1]]);
    expect(samples).toEqual(Array.from(tensorOf(readGolden("tfjs_models"), `${name}/weights`).data));
    for (const { shape, data } of read) expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
  });

  it("reads every dtype and quantisation from files, bundles, URLs and bytes", async () => {
    const files = filesOf([9, 10]);
    const { json, bundled } = await writeTfjs(join(folder, "all"), files);
    for (const model of [json, bundled, pathToFileURL(json), pathToFileURL(bundled)])
      expectAll(await io.readTfjs(model));
    expectAll(await readFiles(files));
    const inMemory = { shard: (path: string) => readFile(join(folder, "all", `${path}.min.js`)) };
    expectAll(await io.readTfjs(await readFile(bundled), inMemory));
  });

  it("does not depend on where the shards are cut", async () => {
    const cut = fc.nat({ max: ALL_BYTES.length - 1 });
    await assertProperty(fc.array(cut, { maxLength: 6 }), 50, async (cuts) => {
      expectAll(await readFiles(filesOf([...cuts].sort((a, b) => a - b))));
    });
  });

  it("hands out weights as soon as their shard is there, and holds no more", async () => {
    const log: string[] = [];
    const { model, shards } = filesOf([12, 20]);
    const shard = (path: string) => {
      log.push(path);
      return shards[path] as Uint8Array;
    };
    for await (const [name] of io.streamTfjs(textBytes(JSON.stringify(model)), { shard })) log.push(name);
    const expected = [
      "group1-shard1",
      "a/kernel",
      "group1-shard2",
      "b",
      "group1-shard3",
      "c",
      "d",
      "e",
      "f",
      "g",
      "h",
      "none",
    ];
    expect(log).toEqual(expected);
  });

  it("reads what minifiers write", async () => {
    const model =
      '{modelTopology:{sparse:!1,x:[!0,null,void 0,-.5,1e3,.25e-2],\'q\\"\':"it\\x27s \\u00e9\\n"},format:"layers-model",' +
      'weightsManifest:[{paths:["s"],weights:[{name:"\\u0061",dtype:"float32",shape:[1]}]}]}';
    const shard = () => textBytes(bundle('"AACAPw=="'));
    const read = await io.readTfjs(textBytes(bundle(model)), { shard });
    expect(read).toEqual({ a: { dtype: "float32", shape: [1], data: Float32Array.of(1) } });
  });
});

describe("a file that readTfjs refuses", () => {
  const one = { name: "w", dtype: "float32", shape: [2] };
  const withWeight = (weight: unknown, length = 8): TfjsFiles => ({
    model: { weightsManifest: [{ paths: ["s"], weights: [weight] }] },
    shards: { s: new Uint8Array(length) },
  });
  const withManifest = (weightsManifest: unknown): TfjsFiles => ({ model: { weightsManifest }, shards: {} });

  it.each<[string, TfjsFiles, string]>([
    ["no manifest", { model: { modelTopology: {} }, shards: {} }, "it has no weightsManifest"],
    ["a manifest that is no list", withManifest({}), "it has no weightsManifest"],
    ["a group without weights", withManifest([{ paths: [] }]), "group 0 of its weightsManifest lacks paths or weights"],
    ["a path upwards", withManifest([{ paths: ["../../etc/passwd"], weights: [] }]), "is not a plain name"],
    ["an absolute path", withManifest([{ paths: ["/etc/passwd"], weights: [] }]), "is not a plain name"],
    ["an address", withManifest([{ paths: ["file:///etc/passwd"], weights: [] }]), "is not a plain name"],
    ["a weight without a name", withWeight({ ...one, name: "" }), "a weight has no name"],
    ["two weights of one name", withManifest([{ paths: [], weights: [one, one] }]), "two weights are called w"],
    ["a negative size", withWeight({ ...one, shape: [-2] }), "weight w: its shape is [-2]"],
    ["a size beyond all numbers", withWeight({ ...one, shape: [1e9, 1e9] }), "weight w: its shape is"],
    [
      "a size beyond the file",
      withWeight({ ...one, shape: [1e6, 1e6] }),
      "shard s: weight w needs 3999999999992 more bytes",
    ],
    [
      "a quantisation without scale",
      withWeight({ ...one, quantization: { dtype: "uint8", min: 0 } }),
      "scale missing and min 0",
    ],
    ["too little data", withWeight(one, 7), "shard s: weight w needs 1 more bytes than the shards hold"],
    ["too much data", withWeight(one, 9), "shard s: 1 bytes at its end belong to no weight"],
    ["a shard too many", withManifest([{ paths: ["s"], weights: [] }]), "the shards after it (s) belong to no weight"],
  ])("with %s", async (_, files, problem) => {
    const error = await failure(readFiles(files));
    expect(error).toBeInstanceOf(TensorError);
    expect(error.code).toBe("corrupt-file");
    expect(error.message).toContain("readTfjs: the given bytes: ");
    expect(error.message).toContain(problem);
  });

  it.each<[string, unknown]>([
    ["strings", { ...one, dtype: "string" }],
    ["complex numbers", { ...one, dtype: "complex64" }],
    ["quantised booleans", { ...one, dtype: "bool", quantization: { dtype: "uint8", scale: 1, min: 0 } }],
    ["half-precision integers", { ...one, dtype: "int32", quantization: { dtype: "float16" } }],
    ["an unknown quantisation", { ...one, quantization: { dtype: "int4", scale: 1, min: 0 } }],
  ])("with %s", async (_, weight) => {
    expect(await failure(readFiles(withWeight(weight)))).toMatchObject({ code: "unsupported-file" });
  });

  it.each<[string, string, string]>([
    ["no text at all", "", "nor a bundle of one"],
    ["half a JSON object", '{"weightsManifest": [', "it is not a model.json of TensorFlow.js"],
    ["a JSON number", "12", "nor a bundle of one"],
    ["another script", "module.exports = {}", "it is not a bundle of one module"],
    ["code in its module", bundle("process.exit(3)"), "a value was expected"],
    ["code after its data", bundle("{};process.exit(3)"), "holds more than data"],
    ["code within its data", bundle("{a:process.exit(3)}"), "a value was expected"],
    ["data that does not end", bundle(`"abc`), "a string does not end"],
    ["a damaged escape", bundle('{a:"\\u00g0"}'), "a string has a damaged escape"],
    ["lists without bottom", bundle("[".repeat(1e6)), "nested more than 200 levels deep"],
    ["a list as model", bundle("[1]"), "it has no weightsManifest"],
  ])("with %s as its model", async (_, text, problem) => {
    const error = await failure(io.readTfjs(textBytes(text), { shard: () => new Uint8Array(0) }));
    expect(error).toMatchObject({ code: "corrupt-file" });
    expect(error.message).toContain(problem);
  });

  it.each([
    ["a number", bundle("7"), "does not export a string"],
    ["other letters than base64", bundle('"####"'), "its string is not base64"],
    ["raw bytes", "\u0000\u0001", "it is not a bundle of one module"],
  ])("with %s as a bundled shard", async (_, text, problem) => {
    const model = bundle(JSON.stringify(withWeight(one).model));
    const error = await failure(io.readTfjs(textBytes(model), { shard: () => textBytes(text) }));
    expect(error).toMatchObject({ code: "corrupt-file" });
    expect(error.message).toContain(problem);
  });

  it("because it is not there, or its shards cannot be found", async () => {
    expect(await failure(io.readTfjs(join(folder, "absent.json")))).toMatchObject({ code: "unreadable-file" });
    const { json } = await writeTfjs(join(folder, "lone"), filesOf([]));
    await rm(join(folder, "lone", "group1-shard1"));
    expect(await failure(io.readTfjs(json))).toMatchObject({ code: "unreadable-file" });
    expect(await failure(io.readTfjs(await readFile(json)))).toMatchObject({ code: "invalid-argument" });
  });

  it("whatever is wrong with it: every damage gives one TensorError or a whole record", async () => {
    const { model, shards } = filesOf([9, 10]);
    const texts = [JSON.stringify(model), bundle(JSON.stringify(model))];
    const packed = Object.fromEntries(
      Object.entries(shards).map(([path, bytes]) => [
        path,
        textBytes(bundle(JSON.stringify(Buffer.from(bytes).toString("base64")))),
      ]),
    );
    const damage = fc.record({
      text: fc.constantFrom(...texts),
      at: fc.nat({ max: 2000 }),
      remove: fc.nat({ max: 40 }),
      insert: fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.constantFrom('"', "}", "[", "1e400", "-", "null", "\\", "{}", ","),
      ),
    });
    await assertProperty(damage, 400, async ({ text, at, remove, insert }) => {
      const start = at % text.length;
      const damaged = text.slice(0, start) + insert + text.slice(start + remove);
      const source = damaged.trimStart().startsWith("{") ? shards : packed;
      const reading = io.readTfjs(textBytes(damaged), { shard: (path) => source[path] ?? new Uint8Array(0) });
      const result = await reading.catch((error: unknown) => error);
      if (result instanceof Error) expect(result).toBeInstanceOf(TensorError);
      else for (const array of Object.values(result as Record<string, io.HostArray>)) expect(array.data).toBeDefined();
    });
  });

  it("because it was cut short, at any byte", async () => {
    const { model, shards } = filesOf([]);
    const whole = textBytes(JSON.stringify(model));
    const data = shards["group1-shard1"] as Uint8Array;
    for (let length = 0; length < whole.length; length += 7) {
      const reading = io.readTfjs(whole.slice(0, length), { shard: () => data });
      expect(await failure(reading)).toMatchObject({ code: "corrupt-file" });
    }
    for (let length = 0; length < data.length; length++) {
      const reading = io.readTfjs(whole, { shard: () => data.slice(0, length) });
      expect(await failure(reading)).toMatchObject({ code: "corrupt-file" });
    }
  });

  it("in one line, whatever its names hold", async () => {
    const weights = [{ name: "a\n\u001b[31m", shape: ["x"], dtype: "float32" }];
    const model = textBytes(JSON.stringify({ weightsManifest: [{ paths: ["s"], weights }] }));
    const error = await failure(io.readTfjs(model, { shard: () => new Uint8Array(4) }));
    expect(error.message).toBe('readTfjs: the given bytes: weight a\\u000a\\u001b[31m: its shape is ["x"]');
  });
});
