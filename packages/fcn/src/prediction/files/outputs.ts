import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { io, TensorError } from "@fcn/tensor";
import { makeTemporaryFolder, type TemporaryFolder } from "@fcn/tensor/internal";
import { encodeIndexedPng } from "../../encoding/indexedPng.js";
import { fileDigest } from "../../files/digest.js";
import { makeFolder, writeWholeFile } from "../../files/write.js";
import type { Colour } from "../../labels/colours.js";
import type { RasterImage } from "../../labels/sample.js";
import { isRemote } from "../../places/address.js";
import { openPlace } from "../../places/open.js";
import type { Place } from "../../places/place.js";
import { renderWithLegend } from "../../report/images/legend.js";
import type { Prediction } from "../enqueue.js";
import { geoJsonPieces } from "../polygons/geojson.js";
import { eachPolygon } from "../polygons/polygons.js";
import { NpyProbabilities } from "../probabilities.js";
import { Manifest, type WrittenFile } from "./manifest.js";
import { checkOwn, type Named, nameOutputs } from "./outputNames.js";
import { nameIn } from "./paths.js";

/** How many pixels of an image have one class. */
export interface ClassShare {
  readonly label: number;
  readonly class: string;
  readonly pixels: number;
  /** Share of all pixels, 0 to 1. */
  readonly share: number;
}

/** A predicted image, with the names and colours of its classes. */
export interface Predicted {
  readonly input: string;
  readonly prediction: Prediction;
  /** The probabilities being written to their file, if requested. */
  readonly probabilities: NpyProbabilities | undefined;
  readonly shares: readonly ClassShare[];
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
  /** The class that overlays leave unpainted; -1 for none. */
  readonly plain: number;
  /** Pixels by which polygons may move. */
  readonly tolerance: number;
}

interface OutputKind {
  readonly suffix: string;
  readonly write: (path: string, predicted: Predicted) => Promise<void>;
}

/** Without flushing each file to disk, because there are many small ones. */
const write = (path: string, content: string | Uint8Array | Iterable<string>): Promise<void> =>
  writeWholeFile("predict", path, content, { sync: false });

/** Everything that can be written for an image. */
export const OUTPUTS = {
  labels: {
    suffix: ".png",
    write: async (path, { prediction, palette }) => write(path, await encodeIndexedPng({ ...prediction, palette })),
  },
  overlay: { suffix: ".overlay.png", write: writeOverlay },
  probabilities: {
    suffix: ".npy",
    // They were written while the image was predicted.
    write: async (_, { probabilities }) => probabilities?.finish(),
  },
  polygons: {
    suffix: ".geojson",
    write: (path, { prediction, classes, tolerance }) =>
      write(path, geoJsonPieces(eachPolygon(prediction, { tolerance }), classes)),
  },
  summary: {
    suffix: ".json",
    write: (path, predicted) => writeSummary(path, summaryOf(predicted)),
  },
} as const satisfies Record<string, OutputKind>;

export type OutputName = keyof typeof OUTPUTS;

/** Where each kind of result of an image is written. */
export type OutputPaths = ReadonlyMap<OutputName, string>;

async function writeOverlay(path: string, { prediction, shares, palette, plain }: Predicted): Promise<void> {
  const { overlay, height, width } = prediction;
  const painted = shares.filter(({ label }) => label !== plain);
  const entries = painted.map(({ label, class: name }) => ({ name, colour: palette[label] ?? ([0, 0, 0] as const) }));
  const rgba = overlay as Uint8ClampedArray;
  await write(path, await renderWithLegend({ rgba, height, width }, entries));
}

/** The facts about an image other than its pixels. */
export interface ImageSummary {
  readonly input: string;
  readonly height: number;
  readonly width: number;
  readonly tiles: number;
  readonly classes: readonly ClassShare[];
}

export function summaryOf({ input, prediction: { height, width, tiles }, shares }: Predicted): ImageSummary {
  return { input, height, width, tiles, classes: shares };
}

export const summaryText = (summary: ImageSummary): string => `${JSON.stringify(summary, null, 2)}\n`;

export const writeSummary = (path: string, summary: ImageSummary): Promise<void> => write(path, summaryText(summary));

/** How often each label occurs, added to `counts`. */
export function countLabels(labels: Uint8Array, counts = new Float64Array(256)): typeof counts {
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return counts;
}

/** The classes that occur, in the order of their labels. */
export function classShares(counts: Float64Array, classes: readonly string[]): ClassShare[] {
  const all = counts.reduce((sum, pixels) => sum + pixels, 0);
  return [...counts.entries()]
    .filter(([, pixels]) => pixels > 0)
    .map(([label, pixels]) => ({ label, class: classes[label] ?? `class ${label}`, pixels, share: pixels / all }));
}

/**
 * The names of the results of each input in a place, in the order of `kinds`: such as no other result and no input has.
 * They are listed as about to be written. Throws `file-exists` if any other file has one of them, unless `overwrite` is
 * set, and `limit-exceeded` if the list has no room for them.
 */
export async function reserveNames(
  place: Place,
  kinds: readonly OutputName[],
  inputs: readonly Named[],
  overwrite: boolean,
): Promise<{ readonly named: readonly (readonly string[])[]; readonly manifest: Manifest }> {
  const suffixes = kinds.map((kind) => OUTPUTS[kind].suffix);
  const named = await nameOutputs(place, suffixes, inputs);
  const manifest = await Manifest.read(place);
  manifest.checkRoom(named);
  if (!overwrite) await checkOwn(place, named.flat(), manifest);
  await manifest.announce(named.flat());
  return { named, manifest };
}

/**
 * A place for the results of images. It lists what was written, so that no other file is overwritten. Results for
 * another machine are made in a folder of this one, and sent one by one.
 */
export class OutputFolder {
  readonly #written = new Map<string, WrittenFile>();
  #place: Place | undefined;
  #scratch: TemporaryFolder | undefined;
  #manifest: Manifest | undefined;
  #announced: readonly string[] = [];

  /** @param address a folder of this machine, or an address of another one */
  constructor(
    private readonly address: string,
    private readonly kinds: readonly OutputName[],
  ) {}

  /** The folder of this machine in which results are made. */
  get root(): string {
    return this.#scratch?.path ?? this.address;
  }

  /** What was written so far. */
  get written(): Iterable<WrittenFile> {
    return this.#written.values();
  }

  /** Makes the folder and tries to write into it. Throws a TensorError if that fails. */
  async open(): Promise<void> {
    this.#place = await openPlace(this.address);
    if (isRemote(this.address)) {
      this.#scratch = await makeTemporaryFolder("predict");
      return;
    }
    const trial = await io.temporaryName(join(this.root, ".trial"));
    await makeFolder("predict", this.root);
    try {
      await writeFile(trial, "");
      await rm(trial);
    } catch (cause) {
      throw io.unwritable("predict", this.root, cause);
    }
  }

  /**
   * Gives the results of each input names that no other result and no input has. Throws `file-exists` if any other file
   * has one of them, unless `overwrite` is set. Removes what killed runs left unfinished.
   */
  async reserve<T extends Named>(inputs: readonly T[], { overwrite = false } = {}): Promise<Map<T, OutputPaths>> {
    const place = this.#place as Place;
    const { named, manifest } = await reserveNames(place, this.kinds, inputs, overwrite);
    if (this.#scratch === undefined) {
      for (const folder of manifest.folders) await io.removeLeftovers(join(this.root, folder));
    }
    this.#manifest = manifest;
    this.#announced = named.flat();
    const pathsOf = (names: readonly string[]): OutputPaths =>
      new Map(this.kinds.map((kind, k) => [kind, join(this.root, names[k] as string)]));
    return new Map(inputs.map((input, i) => [input, pathsOf(named[i] as string[])]));
  }

  /** Where each result of an image is once it is written. */
  addresses(paths: OutputPaths): Partial<Record<OutputName, string>> {
    const addressOf = (path: string): string =>
      this.#scratch === undefined ? path : (this.#place as Place).addressOf(nameIn(this.root, path));
    return Object.fromEntries(Array.from(paths, ([kind, path]) => [kind, addressOf(path)]));
  }

  /**
   * The file for the probabilities of an image, which is made with the first of them. Returns undefined if they are not
   * wanted.
   */
  probabilities(paths: OutputPaths, size: RasterImage): NpyProbabilities | undefined {
    const path = paths.get("probabilities");
    return path === undefined
      ? undefined
      : new NpyProbabilities(path, size, () => makeFolder("predict", dirname(path)));
  }

  /**
   * Writes all results of an image, each under a temporary name first. Throws `disk-full` or `unwritable-file`, with
   * the name of the file.
   */
  async write(paths: OutputPaths, predicted: Predicted): Promise<void> {
    for (const [kind, path] of paths) await this.put(path, () => OUTPUTS[kind].write(path, predicted));
  }

  /** Lets `make` write one of the results, whole or not at all. Throws as {@link write} does. */
  async put(path: string, make: () => Promise<void>): Promise<void> {
    try {
      await makeFolder("predict", dirname(path));
      await make();
      await this.#settle(path);
    } catch (cause) {
      throw cause instanceof TensorError ? cause : io.unwritable("predict", path, cause);
    }
  }

  /** Sends a result to its place, and keeps what the list says of it. */
  async #settle(path: string): Promise<void> {
    const name = nameIn(this.root, path);
    const [{ size: bytes }, sha256] = await Promise.all([stat(path), fileDigest(path, "sha256")]);
    if (this.#scratch !== undefined) {
      await this.#place?.write(name, { file: path });
      await rm(path, { force: true });
    }
    this.#written.set(name, { name, bytes, sha256 });
  }

  /** Lists what was written. */
  async close(): Promise<void> {
    // If this cannot be written, the announced files are still listed.
    await this.#manifest?.settle(this.written, this.#announced).catch(() => {});
    await this.#scratch?.remove();
  }
}
