import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadModel, models } from "@fcn/core";
import { createDevice, type Device, io, nn, optim, type Tensor } from "@fcn/tensor";
import { encodeMetadata } from "../../../packages/fcn/src/models/file/weightsFile.js";
import {
  readCheckpoint,
  savedConfiguration,
  writeCheckpoint,
} from "../../../packages/fcn/src/training/run/state/checkpoint.js";
import * as p from "../../support/pickle.js";
import { zip } from "../../support/zip.js";
import { Finding } from "../oracle.js";
import type { Seed, Target } from "../target.js";

const GIVEN = "the given bytes";

class Net extends nn.Module {
  readonly conv: nn.Conv2d;
  readonly norm: nn.BatchNorm2d;
  constructor(device: Device) {
    super();
    this.conv = new nn.Conv2d(device, 1, 2, { kernelSize: [1, 2], seed: 1 });
    this.norm = new nn.BatchNorm2d(device, 2);
  }
  override forward(input: Tensor): Tensor {
    return this.norm.forward(this.conv.forward(input));
  }
}

type Values = ReadonlyMap<string, readonly number[]>;

async function valuesOf(module: nn.Module): Promise<Values> {
  const values = new Map<string, readonly number[]>();
  for (const [name, tensor] of Object.entries(module.stateDict())) values.set(name, [...(await tensor.data())]);
  return values;
}

const same = (a: Values, b: Values): boolean =>
  [...a].every(([name, values]) => values.every((value, i) => Object.is(value, b.get(name)?.[i])));

/** Runs a load; after an error all values must be as they were before. Returns those after a success. */
async function whole<T>(module: nn.Module, load: () => Promise<T>): Promise<{ result: T; after: Values }> {
  const before = await valuesOf(module);
  try {
    const result = await load();
    return { result, after: await valuesOf(module) };
  } catch (error) {
    if (!same(before, await valuesOf(module))) {
      throw new Finding("partial load", `some values were loaded before: ${(error as Error).message}`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** The values of an array of a file as a module holds them. */
const rounded = ({ data }: io.HostArray): number[] =>
  Array.from(data as ArrayLike<number | bigint>, (value) => Math.fround(Number(value)));

/** Four arrays of a net in each format; one of them has a checksum and is packed. */
async function netSeeds(module: nn.Module): Promise<Seed[]> {
  const arrays: Record<string, io.HostArray> = {};
  for (const [name, tensor] of Object.entries(module.stateDict())) {
    const data = Float32Array.from({ length: tensor.size }, (_, i) => 10 * Object.keys(arrays).length + i + 1);
    arrays[name] = { dtype: "float32", shape: tensor.shape, data };
  }
  const names = Object.keys(arrays);
  const bytesOf = ({ data }: io.HostArray): Uint8Array => new Uint8Array(data.buffer.slice(0) as ArrayBuffer);
  const entries = names.map((name, i): [p.Part, p.Part] => {
    const { shape, data } = arrays[name] as io.HostArray;
    const strides = shape.map((_, dim) => shape.slice(dim + 1).reduce((product, size) => product * size, 1));
    return [p.string(name), p.tensor(p.storage(String(i), data.length), 0, shape, strides)];
  });
  const storages = Object.fromEntries(names.map((name, i) => [String(i), bytesOf(arrays[name] as io.HostArray)]));
  const files = await Promise.all(
    names.map(async (name) => [`${name}.npy`, await io.encodeNpy(arrays[name] as io.HostArray)] as const),
  );
  const packed = zip(Object.fromEntries(files.map(([name, data], i) => [name, { data, deflate: i % 2 === 1 }])));
  return [
    { name: "safetensors", kind: "safetensors", bytes: await io.encodeSafetensors(arrays) },
    // Of the two archives the bytes are changed, so that checksums fail where they are read.
    { name: "npz", kind: "bytes", bytes: packed },
    { name: "pth", kind: "bytes", bytes: p.torchZip(p.pickle(p.dict(...entries)), storages) },
    { name: "pth by steps", kind: "zip", bytes: p.torchZip(p.pickle(p.dict(...entries)), storages) },
  ];
}

const loadWeights: Target = {
  name: "loadWeights",
  runs: 10_000,
  open: async () => {
    const device = await createDevice();
    const module = new Net(device);
    const run = async (bytes: Uint8Array): Promise<string> => {
      const { result, after } = await whole(module, () => io.loadWeights(module, bytes, { strict: false }));
      const copied = new Set(result.copied);
      await io.openWeights(bytes, async ({ arrays, read }) => {
        for (const name of Object.keys(arrays)) {
          if (!copied.has(name)) continue;
          const [wanted, got] = [rounded(await read(name)), after.get(name) ?? []];
          if (wanted.some((value, i) => !Object.is(value, got[i])))
            throw new Finding("values", `${name}: [${wanted}], got [${got}]`);
        }
      });
      return `loaded ${copied.size}, ${result.missing.length} missing, ${result.unexpected.length} unexpected`;
    };
    return { seeds: await netSeeds(module), names: [GIVEN, "loadWeights"], run };
  },
};

const STATE = {
  step: 20,
  configuration: { model: "net", steps: 40 },
  adapters: ["adapter"],
  data: { images: "2 (abc)", labels: "2 (def)" },
  loader: { epoch: 1, batch: 3 },
  history: { readings: [{ step: 10, loss: 0.5, learningRate: 0.1 }], validations: [], best: undefined },
  open: { sum: 1.5, count: 2 },
};

const checkpoint: Target = {
  name: "checkpoint",
  runs: 4_000,
  open: async (scratch) => {
    const device = await createDevice();
    const net = new Net(device);
    const sgd = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    const folder = join(scratch, "checkpoint");
    mkdirSync(folder, { recursive: true });
    await writeCheckpoint(folder, net, { optimizer: sgd, scaler: { stateDict: () => ({}) } }, STATE);
    const file = join(folder, "step-000000020.safetensors");
    const bytes = new Uint8Array(readFileSync(file));
    const run = async (input: Uint8Array): Promise<string> => {
      writeFileSync(file, input);
      const saved = await savedConfiguration(folder);
      if (typeof saved !== "object" || saved === null) throw new Finding("configuration", typeof saved);
      const { result } = await whole(net, () => readCheckpoint(folder, net, STATE.configuration));
      if (result === undefined) throw new Finding("checkpoint", "nothing was read");
      const { loader, history, adapters } = result;
      const counts = [loader.epoch, loader.batch, history.readings.length, history.validations.length, adapters.length];
      if (!counts.every((count) => Number.isSafeInteger(count) && count >= 0))
        throw new Finding("state", counts.join(" "));
      return "read";
    };
    return { seeds: [{ name: "checkpoint", kind: "safetensors", bytes }], names: [scratch, "loadWeights"], run };
  },
};

const MODEL = "fcn8s-small";
const OPTIONS = { numClasses: 2, widthMultiplier: 0.1 };

const model: Target = {
  name: "loadModel",
  runs: 1_000,
  open: async () => {
    const device = await createDevice();
    const net = models.create(MODEL, device, OPTIONS);
    const metadata = encodeMetadata({
      model: MODEL,
      options: OPTIONS,
      classes: ["a", "b"],
      palette: [
        [0, 0, 0],
        [255, 0, 0],
      ],
      preprocessing: { channelOrder: "rgb", mean: [1, 2, 3], std: [1, 1, 1] },
    });
    const bytes = await io.encodeSafetensors(net.stateDict(), { metadata });
    net.dispose();
    const run = async (input: Uint8Array): Promise<string> => {
      const loaded = await loadModel(input, device);
      const { classes, palette, preprocessing, options } = loaded.metadata;
      loaded.model.dispose();
      const { mean, std } = preprocessing;
      const areNumbers = [...mean, ...std].every(Number.isFinite);
      if (classes.length !== options.numClasses || palette.length !== classes.length || !areNumbers) {
        throw new Finding("metadata", JSON.stringify(loaded.metadata).slice(0, 300));
      }
      return "a net";
    };
    return {
      seeds: [{ name: MODEL, kind: "safetensors", bytes }],
      names: [GIVEN, "models", "loadModel", "loadWeights", MODEL],
      run,
    };
  },
};

/** What puts values into modules, on a device. */
export const LOADING: readonly Target[] = [loadWeights, checkpoint, model];
