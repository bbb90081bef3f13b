import { invalidArgument } from "../../plain/errors.js";
import { decodeHostArray, type HostArray } from "../arrays/hostArray.js";
import { guessed } from "../content/otherFile.js";
import { checkLeft, leaveOut, type ReadOptions } from "../content/skipped.js";
import { corruptFile, fileError, type Place } from "../files/errors.js";
import { GIVEN_BYTES, type PathOrBytes, withSource } from "../files/source.js";
import { decodeText, describeFault, recodeFix } from "../text/text.js";
import { readBundle } from "./bundle.js";
import { LiteralError } from "./literal.js";
import { parseManifest, type WeightSpec } from "./manifest.js";
import { type LoadShard, ShardCursor } from "./shards.js";

export interface ReadTfjsOptions extends ReadOptions {
  /** Returns where a shard is, given its path in the manifest. Default: beside the model file. */
  readonly shard?: (path: string) => PathOrBytes | Promise<PathOrBytes>;
}

/**
 * Reads the weights of a TensorFlow.js model (graph or layers) by name, in the layout of TensorFlow: convolution
 * kernels [H, W, in, out], depthwise kernels [H, W, channels, multiplier], dense kernels [in, out]. Quantised weights
 * are dequantised, with the same values as in tfjs. Text and complex weights are left out and passed to `onSkipped`.
 *
 * `model` is a `model.json` with its binary shards beside it, or the bundle that the npm package nsfwjs makes of one:
 * `model.min.js` beside `<shard>.min.js`, each of which exports a literal. Bundles are read as text, never run.
 *
 * Throws `unreadable-file`, `unsupported-file` (an unknown dtype, or no weight is left), or `corrupt-file` for files
 * that are truncated, do not belong together or are something else.
 */
export async function readTfjs(model: PathOrBytes, options: ReadTfjsOptions = {}): Promise<Record<string, HostArray>> {
  const arrays: [string, HostArray][] = [];
  for await (const entry of streamTfjs(model, options)) arrays.push(entry);
  return Object.fromEntries(arrays);
}

/** As {@link readTfjs}, but weight by weight in the order of the manifest, with one shard and one weight in memory. */
export async function* streamTfjs(
  model: PathOrBytes,
  options: ReadTfjsOptions = {},
): AsyncGenerator<[name: string, array: HostArray]> {
  const { place, description, bundled } = await withSource(READER, model, (source) =>
    guessed(source, "a TensorFlow.js model", async () => {
      const bytes = new Uint8Array(await source.read(0, source.size));
      return { place: source as Place, ...parseModel(source, bytes) };
    }),
  );
  const load = shardLoader(place, model, bundled, options);
  const groups = parseManifest(place, description);
  const all = groups.flatMap(({ weights }) => weights);
  const skipped = all.flatMap((weight) =>
    "why" in weight ? [leaveOut(place, weight.name, weight.why, "convert the model without it")] : [],
  );
  checkLeft(place, all.slice(skipped.length), skipped);
  for (const { name, reason } of skipped) options.onSkipped?.(name, reason);
  for (const group of groups) {
    const cursor = new ShardCursor(place, group, load);
    for (const weight of group.weights) {
      if ("why" in weight) await cursor.passTexts(weight.name, weight.texts);
      const bytes = await cursor.take(weight.name, weight.bytes);
      if (!("why" in weight)) yield [weight.name, decode(weight, bytes)];
    }
    cursor.end();
  }
}

const READER = "readTfjs";

async function readAll(reader: string, input: PathOrBytes): Promise<{ place: Place; bytes: Uint8Array }> {
  return withSource(reader, input, async (source) => {
    return { place: source, bytes: new Uint8Array(await source.read(0, source.size)) };
  });
}

function parseModel(place: Place, bytes: Uint8Array): { description: unknown; bundled: boolean } {
  const text = decodeText(bytes);
  if (typeof text !== "string") {
    const fix = recodeFix(place.file === GIVEN_BYTES ? "model.json" : place.file, text);
    throw fileError(place, "corrupt-file", `it is not a model.json of TensorFlow.js: ${describeFault(text)}`, fix);
  }
  const bundled = !text.trimStart().startsWith("{");
  try {
    return { description: bundled ? readBundle(text) : JSON.parse(text), bundled };
  } catch (error) {
    const reason = error instanceof LiteralError ? `, nor a bundle of one: ${error.message}` : "";
    throw corruptFile(place, `it is not a model.json of TensorFlow.js${reason}`);
  }
}

function shardLoader(place: Place, model: PathOrBytes, bundled: boolean, options: ReadTfjsOptions): LoadShard {
  const locate = options.shard ?? beside(place, model, bundled ? ".min.js" : "");
  return async (path) => {
    const { place: shard, bytes } = await readAll(place.reader, await locate(path));
    return bundled ? unpackShard(shard, bytes) : bytes;
  };
}

/** Returns the paths of files in the model's own folder. */
function beside({ reader }: Place, model: PathOrBytes, suffix: string): (path: string) => PathOrBytes {
  if (model instanceof URL) return (path) => new URL(path + suffix, model);
  if (typeof model === "string") return (path) => model.replace(/[^/\\]*$/, "") + path + suffix;
  throw invalidArgument(`${reader}: the model came as bytes, so its shards cannot be found beside it`, {
    code: "pass { shard: (path) => bytes }",
  });
}

function unpackShard(place: Place, bytes: Uint8Array): Uint8Array {
  try {
    const data = readBundle(new TextDecoder("latin1").decode(bytes));
    if (typeof data !== "string") throw new LiteralError("its module does not export a string");
    return decodeBase64(data);
  } catch (error) {
    const reason = error instanceof LiteralError ? error.message : "its string is not base64";
    throw corruptFile(place, `it is not a bundled shard: ${reason}`);
  }
}

function decodeBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function decode({ dtype, shape, stored, affine }: WeightSpec, bytes: ArrayBuffer): HostArray {
  const array = decodeHostArray(stored, shape, bytes);
  if (affine === undefined) return array;
  const { scale, min } = affine;
  const codes = array.data as Uint8Array | Uint16Array;
  const data = dtype === "int32" ? new Int32Array(codes.length) : new Float32Array(codes.length);
  for (let i = 0; i < data.length; i++) {
    const value = codes[i]! * scale + min;
    data[i] = dtype === "int32" ? Math.round(value) : value;
  }
  return { dtype, shape, data };
}
