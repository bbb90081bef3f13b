import { cocoJson } from "../../../studio/src/files/coco.js";
import { dataSetZip, eachLabelled } from "../../../studio/src/files/dataSetZip.js";
import { maskPng, overlayPng } from "../../../studio/src/files/exports.js";
import { type DataSet, readDataSet } from "../../../studio/src/files/readDataSet.js";
import { asPng, readImage, thumbnail, workImage } from "../../../studio/src/files/readImages.js";
import { isSessionZip, readSession, sessionZip } from "../../../studio/src/files/sessionZip.js";
import type { StudioError } from "../../../studio/src/session/errors.js";
import { rasterise } from "../../../studio/src/session/raster.js";
import type { PaintClass, Session } from "../../../studio/src/session/types.js";

/** What a call gives, or the error that it throws, as plain data. */
export interface Result<Value> {
  readonly value?: Value;
  readonly code?: string;
  readonly message?: string;
  readonly fix?: string;
}

async function resultOf<Value>(call: () => Promise<Value>): Promise<Result<Value>> {
  try {
    return { value: await call() };
  } catch (error) {
    const { code, message, fix } = error as StudioError;
    return { code: code ?? String(error), message, fix };
  }
}

/** Bytes as text, which crosses to a page and back much faster than a list of numbers. */
export type Base64 = string;

const toBlob = (text: Base64, type = ""): Blob =>
  new Blob([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], { type });

async function toBase64(blob: Blob): Promise<Base64> {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(text);
}

/** The size of a picture and its RGBA pixels at some places. */
export interface Picture {
  readonly size: readonly [height: number, width: number];
  readonly pixels: readonly (readonly number[])[];
}

function pictureOf(bitmap: ImageBitmap, places: readonly (readonly [x: number, y: number])[]): Picture {
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext(
    "2d",
  ) as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  const pixels = places.map(([x, y]) => Array.from(context.getImageData(x, y, 1, 1).data));
  return { size: [bitmap.height, bitmap.width], pixels };
}

/** Reads files as images. */
export async function readAll(files: Readonly<Record<string, Base64>>): Promise<Record<string, Result<object>>> {
  const results: Record<string, Result<object>> = {};
  for (const [name, file] of Object.entries(files)) results[name] = await resultOf(() => readImage(toBlob(file), name));
  return results;
}

/** An image at two sizes of work, as a thumbnail, and as PNG. */
export async function sizesOf(file: Base64, workSide: number, places: readonly (readonly [number, number])[]) {
  const blob = toBlob(file);
  return {
    work: pictureOf(await workImage(blob, workSide), places),
    whole: pictureOf(await workImage(blob, 100_000), places),
    thumbnail: pictureOf(await createImageBitmap(await thumbnail(blob)), places),
    png: pictureOf(await createImageBitmap(await asPng(blob)), places),
  };
}

/** A session, the files of its images by id, and labels that take the place of a prediction. */
export interface Whole {
  readonly session: Session;
  readonly files: Readonly<Record<string, Base64>>;
  readonly predicted?: readonly number[];
}

function optionsOf({ session, files, predicted }: Whole) {
  const { height = 0, width = 0 } = session.images[0] ?? {};
  return {
    session,
    images: async (id: string) => toBlob(files[id] as string),
    includePrediction: predicted !== undefined,
    labelsOf: async () => ({ labels: Uint8Array.from(predicted ?? []), height, width }),
  };
}

/** What goes out: the zip of a data set, COCO's JSON, and how progress was told. */
export async function exportAll(whole: Whole) {
  const told: string[] = [];
  const onProgress = (done: number, total: number): void => {
    told.push(`${done} of ${total}`);
  };
  const options = optionsOf(whole);
  const zip = await resultOf(async () => toBase64(await dataSetZip({ ...options, onProgress })));
  const coco = await resultOf(async () => (await cocoJson(eachLabelled(options), whole.session.classes)).text());
  return { zip, coco, told };
}

/** A mask and an overlay of labels. */
export async function masksOf(
  file: Base64,
  labels: readonly number[],
  size: { readonly height: number; readonly width: number },
  classes: readonly PaintClass[],
) {
  const full = { labels: Uint8Array.from(labels), ...size };
  return {
    mask: await resultOf(async () => toBase64(await maskPng(full, classes))),
    overlay: await resultOf(async () => toBase64(await overlayPng(toBlob(file), full, classes, 0.5))),
  };
}

/** What came back, with the masks that it makes. */
export interface BroughtBack {
  readonly classes: readonly (readonly [name: string, colour: readonly number[]])[];
  readonly images: readonly {
    readonly name: string;
    readonly size: readonly [number, number];
    readonly bytes: number;
    readonly strokes: number;
    readonly labels: readonly number[];
  }[];
  readonly notes: readonly string[];
}

function broughtBack({ session, images, notes }: DataSet): BroughtBack {
  return {
    classes: session.classes.map(({ name, colour }) => [name, colour]),
    images: session.images.map((image) => {
      const { height, width } = image;
      const labels = Array.from(rasterise(image, session.classes, { height, width }).all);
      const bytes = images.get(image.id)?.size ?? 0;
      return { name: image.name, size: [height, width], bytes, strokes: image.strokes.length, labels };
    }),
    notes,
  };
}

/** Reads zips of data sets, by their names. */
export async function readZips(zips: Readonly<Record<string, Base64>>): Promise<Record<string, Result<BroughtBack>>> {
  const results: Record<string, Result<BroughtBack>> = {};
  for (const [name, zip] of Object.entries(zips)) {
    results[name] = await resultOf(async () => broughtBack(await readDataSet(new File([toBlob(zip)], name))));
  }
  return results;
}

/** Reads a folder that the browser opened: one of its own, with the files that are given. */
export async function readFolder(files: Readonly<Record<string, Base64>>): Promise<Result<BroughtBack>> {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle("set", { create: true });
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split("/");
    let folder = root;
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part, { create: true });
    const stream = await (await folder.getFileHandle(parts.at(-1) as string, { create: true })).createWritable();
    await stream.write(toBlob(content));
    await stream.close();
  }
  return resultOf(async () => broughtBack(await readDataSet(root)));
}

/** Makes a field for the choice of a folder; its files are read once `chosen` is called. */
export async function folderField(): Promise<void> {
  const field = document.createElement("input");
  Object.assign(field, { type: "file", id: "folder", webkitdirectory: true });
  document.body.append(field);
  Object.assign(globalThis, {
    chosen: () => resultOf(async () => broughtBack(await readDataSet([...(field.files as FileList)]))),
  });
}

/** A net as it crosses to a page. */
export interface SentNet {
  readonly weights: Base64;
  readonly optimizer?: Base64 | undefined;
  readonly step: number;
  readonly classIds: readonly string[];
}

/** A whole session out and in again. */
export async function sessionRoundTrip(whole: Whole, sent: SentNet | undefined) {
  const settings = { net: "own", workSide: 384, augment: false } as const;
  const optimizer = sent?.optimizer === undefined ? undefined : toBlob(sent.optimizer);
  const net = sent && { ...sent, weights: toBlob(sent.weights), optimizer };
  const zip = await sessionZip({ ...optionsOf(whole), settings, net });
  const read = await readSession(zip);
  const files: Record<string, Base64> = {};
  for (const [id, file] of read.images) files[id] = await toBase64(file);
  const back = read.net && {
    ...read.net,
    weights: await toBase64(read.net.weights),
    optimizer: read.net.optimizer && (await toBase64(read.net.optimizer)),
  };
  const isSession = await isSessionZip(zip);
  return { isSession, session: read.session, settings: read.settings, files, net: back };
}

/** What sessions are refused for, all by one name. */
export async function readSessionZips(zips: readonly Base64[]): Promise<Result<boolean>[]> {
  const results: Result<boolean>[] = [];
  for (const zip of zips) {
    results.push(await resultOf(async () => (await readSession(new File([toBlob(zip)], "session.zip"))) !== undefined));
  }
  return results;
}
