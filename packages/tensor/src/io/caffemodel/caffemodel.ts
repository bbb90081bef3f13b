import { brief } from "../../plain/errors.js";
import type { HostArray } from "../arrays/hostArray.js";
import { type Content, type ContentArray, checkUnique, plainArray, readContent } from "../content/content.js";
import { guessed } from "../content/otherFile.js";
import { checkLeft, type LeftOut, leftOut, type ReadOptions } from "../content/skipped.js";
import { corruptFile, unsupportedFile, within } from "../files/errors.js";
import { type PathOrBytes, type Source, withSource } from "../files/source.js";
import { type Blob, readBlob } from "./blobs.js";
import { V1_LAYER_TYPES } from "./layerTypes.js";
import { BYTES, type Field, VARINT, WireReader } from "./wire.js";

/**
 * Reads the blobs of a `.caffemodel` by layer name, in the old (`layers`) and the new (`layer`) format. The first blob
 * of a layer is `name.weight`, the second `name.bias`, and further ones are `name.2`, `name.3`, ... Shapes are those in
 * the file: old files give all blobs four sizes, so a bias is [1, 1, 1, N]. Double precision becomes float64. Blobs
 * without such numbers are left out and passed to `onSkipped`.
 *
 * Throws `unreadable-file`, `corrupt-file` or `unsupported-file`.
 */
export async function readCaffemodel(
  pathOrBytes: PathOrBytes,
  options: ReadOptions = {},
): Promise<Record<string, HostArray>> {
  return withSource("readCaffemodel", pathOrBytes, (source) =>
    guessed(source, "a .caffemodel file", async () => readContent(await openCaffemodel(source), options)),
  );
}

/** The field numbers of a layer in one of the two formats (caffe.proto). */
interface LayerFields {
  readonly name: number;
  readonly type: number;
  readonly blobs: number;
}

const NET_NAME = 1;
/** Fields of caffe.NetParameter that hold layers: V1LayerParameter and LayerParameter. */
const LAYERS: ReadonlyMap<number, LayerFields> = new Map([
  [2, { name: 4, type: 5, blobs: 6 }],
  [100, { name: 1, type: 2, blobs: 7 }],
]);
/** Where V1LayerParameter held a V0LayerParameter, in the first format of all. */
const V0_LAYER = { in: 2, number: 1 };

const MAX_LAYERS = 2 ** 16;
const MAX_NAME = 1024;

/** Whether a NetParameter may start like this: with its name, a layer or an input. */
export const isCaffemodel = (start: Uint8Array): boolean =>
  [0x0a, 0x12, 0x1a].includes(start[0]!) || (start[0] === 0xa2 && start[1] === 0x06);

/** Reads names, dtypes and shapes of all blobs. The numbers are skipped, and read on demand. */
export async function openCaffemodel(source: Source): Promise<Content> {
  const reader = new WireReader(source);
  const layers: Layer[] = [];
  let name = "";
  const readPart = async (field: Field, format: LayerFields | undefined): Promise<void> => {
    if (format === undefined) name = await readText(source, field);
    else layers.push(await readLayer(reader, field, format));
    if (layers.length > MAX_LAYERS) {
      throw unsupportedFile(source, `it has more than ${MAX_LAYERS} layers`, "save the model again with Caffe");
    }
  };
  await reader.fields(0, source.size, (field) => {
    const format = LAYERS.get(field.number);
    const isRead = field.wire === BYTES && (format !== undefined || field.number === NET_NAME);
    return isRead ? readPart(field, format) : undefined;
  });
  const parts = layers.flatMap(layerArrays);
  const arrays = parts.filter((part) => "read" in part);
  const skipped = parts.filter((part) => "error" in part);
  checkUnique(source, parts);
  checkLeft(source, arrays, skipped);
  if (arrays.length === 0) throw corruptFile(source, "it has no layer with weights, so it is not a .caffemodel");
  const types = Object.fromEntries(layers.map(({ name, type }) => [name, type]));
  return { arrays, skipped, metadata: { name, layers: JSON.stringify(types) } };
}

interface Layer {
  readonly name: string;
  readonly type: string;
  readonly blobs: readonly (Blob | LeftOut | undefined)[];
}

async function readLayer(reader: WireReader, layer: Field, format: LayerFields): Promise<Layer> {
  const { source } = reader;
  const blobs: (Blob | LeftOut | undefined)[] = [];
  let name = "";
  let type = "";
  const readPart = async (field: Field): Promise<void> => {
    if (field.number === format.name) name = await readText(source, field);
    else if (field.number === format.type) type = await readText(source, field);
    else if (field.number === format.blobs) {
      const place = within(source, `layer ${brief(name)}, blob ${blobs.length}`);
      const blob = await readBlob(reader, place, field.begin, field.end).catch((error) => {
        const left = leftOut("", error);
        if (left.damaged) throw error;
        return left;
      });
      blobs.push(blob);
    }
  };
  await reader.fields(layer.begin, layer.end, (field) => {
    if (field.wire === BYTES) {
      if (layer.number === V0_LAYER.in && field.number === V0_LAYER.number) {
        const fix = "upgrade it with Caffe's upgrade_net_proto_binary";
        throw unsupportedFile(source, "it is in Caffe's first format (V0)", fix);
      }
      return Object.values(format).includes(field.number) ? readPart(field) : undefined;
    }
    if (field.wire === VARINT && field.number === format.type)
      type = V1_LAYER_TYPES[field.value] ?? String(field.value);
    return undefined;
  });
  return { name, type, blobs };
}

function layerArrays({ name: layer, blobs }: Layer): (ContentArray | LeftOut)[] {
  return blobs.flatMap((blob, i): (ContentArray | LeftOut)[] => {
    const name = `${layer}.${["weight", "bias"][i] ?? String(i)}`;
    if (blob === undefined) return [];
    return ["error" in blob ? { ...blob, name } : plainArray(name, blob.stored, blob.shape, blob.read)];
  });
}

async function readText(source: Source, { begin, end }: Field): Promise<string> {
  if (end - begin > MAX_NAME) throw corruptFile(source, `it has a name of ${end - begin} bytes`);
  return new TextDecoder().decode(await source.read(begin, end));
}
