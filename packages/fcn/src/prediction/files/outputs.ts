import { rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { io } from "@fcn/tensor";
import { makeTemporaryFolder, type TemporaryFolder } from "@fcn/tensor/internal";
import { encodeIndexedPng } from "../../encoding/indexedPng.js";
import { fileDigest } from "../../files/digest.js";
import { encoded, makeFolder } from "../../files/write.js";
import type { Colour } from "../../labels/colours.js";
import type { RasterImage } from "../../labels/sample.js";
import { isRemote } from "../../places/address.js";
import type { Place } from "../../places/place.js";
import { renderWithLegend } from "../../report/images/legend.js";
import type { Prediction } from "../enqueue.js";
import { geoJsonPieces } from "../polygons/geojson.js";
import { eachPolygon } from "../polygons/polygons.js";
import { NpyProbabilities } from "../probabilities.js";
import { Manifest } from "./manifest.js";
import { checkOwn, type Named, nameOutputs } from "./outputNames.js";
import { type WrittenFile, writeWithDigest } from "./written.js";

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
  /** What the file holds; absent where it is written while the image is predicted. */
  readonly content?: (predicted: Predicted) => Content | Promise<Content>;
}

type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Everything that can be written for an image. */
export const OUTPUTS = {
  labels: {
    suffix: ".png",
    content: ({ prediction, palette }) => encodeIndexedPng({ ...prediction, palette }),
  },
  overlay: { suffix: ".overlay.png", content: overlayOf },
  probabilities: { suffix: ".npy" },
  polygons: {
    suffix: ".geojson",
    content: ({ prediction, classes, tolerance }) =>
      encoded(geoJsonPieces(eachPolygon(prediction, { tolerance }), classes)),
  },
  summary: { suffix: ".json", content: (predicted) => encodeSummary(summaryOf(predicted)) },
} as const satisfies Record<string, OutputKind>;

export type OutputName = keyof typeof OUTPUTS;

/** The name of each kind of result of an image in the place for results. */
export type OutputNames = ReadonlyMap<OutputName, string>;

/** The names of the results of an image whose name is `stem`. */
export const namesOf = (stem: string, kinds: readonly OutputName[]): OutputNames =>
  new Map(kinds.map((kind) => [kind, `${stem}${OUTPUTS[kind].suffix}`]));

function overlayOf({ prediction, shares, palette, plain }: Predicted): Promise<Uint8Array> {
  const { overlay, height, width } = prediction;
  const painted = shares.filter(({ label }) => label !== plain);
  const entries = painted.map(({ label, class: name }) => ({ name, colour: palette[label] ?? ([0, 0, 0] as const) }));
  const rgba = overlay as Uint8ClampedArray;
  return renderWithLegend({ rgba, height, width }, entries);
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

export const encodeSummary = (summary: ImageSummary): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(summary, null, 2)}\n`);

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

/** How an {@link OutputFolder} is written. */
export interface OutputFolderOptions {
  /**
   * Whether other machines write into the place too, and tell each other what they wrote. Then files are on the disk
   * before they have their names, and the place alone decides where a name leads. Default false.
   */
  readonly isShared?: boolean;
}

/**
 * A place for the results of images. It lists what was written, so that no other file is overwritten. Each result
 * appears whole or not at all.
 */
export class OutputFolder {
  readonly #written = new Map<string, WrittenFile>();
  /** For files of this machine that then are sent to the place. */
  #scratch: Promise<TemporaryFolder> | undefined;
  #made = 0;
  #manifest: Manifest | undefined;
  #announced: readonly string[] = [];

  constructor(
    private readonly place: Place,
    private readonly kinds: readonly OutputName[],
    private readonly options: OutputFolderOptions = {},
  ) {}

  /** What was written so far. */
  get written(): Iterable<WrittenFile> {
    return this.#written.values();
  }

  /** Makes the folder and tries to write into it. Throws a TensorError if that fails. */
  async open(): Promise<void> {
    const { address } = this.place;
    if (isRemote(address)) return;
    const trial = await io.temporaryName(join(address, ".trial"));
    await makeFolder("predict", address);
    try {
      await writeFile(trial, "");
      await rm(trial);
    } catch (cause) {
      throw io.unwritable("predict", address, cause);
    }
  }

  /**
   * Gives the results of each input names that no other result and no input has. Throws `file-exists` if any other file
   * has one of them, unless `overwrite` is set. Removes what killed runs left unfinished.
   */
  async reserve<T extends Named>(inputs: readonly T[], { overwrite = false } = {}): Promise<Map<T, OutputNames>> {
    const { address } = this.place;
    const { named, manifest } = await reserveNames(this.place, this.kinds, inputs, overwrite);
    if (!isRemote(address)) for (const folder of manifest.folders) await io.removeLeftovers(join(address, folder));
    this.#manifest = manifest;
    this.#announced = named.flat();
    const byKind = (names: readonly string[]): OutputNames =>
      new Map(this.kinds.map((kind, k) => [kind, names[k] as string]));
    return new Map(inputs.map((input, i) => [input, byKind(named[i] as string[])]));
  }

  /** Where each result of an image is once it is written. */
  addresses(names: OutputNames): Partial<Record<OutputName, string>> {
    return Object.fromEntries(Array.from(names, ([kind, name]) => [kind, this.place.addressOf(name)]));
  }

  /**
   * The file for the probabilities of an image, which is made with the first of them. Returns undefined if they are not
   * wanted.
   */
  probabilities(names: OutputNames, size: RasterImage): NpyProbabilities | undefined {
    const name = names.get("probabilities");
    if (name === undefined) return undefined;
    return new NpyProbabilities(size, async () => {
      const path = await this.#ownPath(name);
      await makeFolder("predict", dirname(path));
      return path;
    });
  }

  get #isApart(): boolean {
    return this.options.isShared === true || isRemote(this.place.address);
  }

  /** Where a file is made that is not written in one go: at its place, or on the way there. */
  async #ownPath(name: string): Promise<string> {
    if (!this.#isApart) return join(this.place.address, name);
    this.#scratch ??= makeTemporaryFolder("predict");
    // By a number: names are given by others, and might lead out of the folder.
    return join((await this.#scratch).path, `${this.#made++}${OUTPUTS.probabilities.suffix}`);
  }

  /** Writes all results of an image. Throws `disk-full` or `unwritable-file`, with the name of the file. */
  async write(names: OutputNames, predicted: Predicted): Promise<void> {
    for (const [kind, name] of names) {
      const { content }: OutputKind = OUTPUTS[kind];
      if (content) await this.put(name, await content(predicted));
      else if (predicted.probabilities) await this.#finish(name, predicted.probabilities);
    }
  }

  /** Writes one of the results. Throws as {@link write} does, and what the pieces throw. */
  async put(name: string, content: Content): Promise<void> {
    const { isShared: sync = false } = this.options;
    this.#written.set(name, await writeWithDigest(this.place, name, content, { sync }));
  }

  async #finish(name: string, probabilities: NpyProbabilities): Promise<void> {
    const path = await probabilities.finish();
    const [{ size: bytes }, sha256] = await Promise.all([stat(path), fileDigest(path, "sha256")]);
    if (this.#isApart) {
      await this.place.write(name, { file: path });
      await rm(path, { force: true });
    }
    this.#written.set(name, { name, bytes, sha256 });
  }

  /** Lists what was written. */
  async close(): Promise<void> {
    // If this cannot be written, the announced files are still listed.
    await this.#manifest?.settle(this.written, this.#announced).catch(() => {});
    await (await this.#scratch)?.remove();
  }
}
