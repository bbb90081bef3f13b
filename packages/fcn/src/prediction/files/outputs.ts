import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { io, TensorError } from "@fcn/tensor";
import { encodeIndexedPng } from "../../encoding/indexedPng.js";
import { makeFolder, writeWholeFile } from "../../files/write.js";
import type { Colour } from "../../labels/colours.js";
import type { RasterImage } from "../../labels/sample.js";
import { renderWithLegend } from "../../report/images/legend.js";
import type { Prediction } from "../enqueue.js";
import { geoJsonPieces } from "../polygons/geojson.js";
import { eachPolygon } from "../polygons/polygons.js";
import { NpyProbabilities } from "../probabilities.js";
import { Manifest } from "./manifest.js";
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

export const writeSummary = (path: string, summary: ImageSummary): Promise<void> =>
  write(path, `${JSON.stringify(summary, null, 2)}\n`);

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

/** A folder for the results of images. It lists what was written, so that no other file is overwritten. */
export class OutputFolder {
  readonly #written = new Set<string>();
  #manifest: Manifest | undefined;
  #announced: string[] = [];

  constructor(
    readonly root: string,
    private readonly kinds: readonly OutputName[],
  ) {}

  /** Makes the folder and tries to write into it. Throws a TensorError if that fails. */
  async open(): Promise<void> {
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
    const suffixes = this.kinds.map((kind) => OUTPUTS[kind].suffix);
    const named = await nameOutputs(this.root, suffixes, inputs);
    this.#manifest = await Manifest.read(this.root);
    if (!overwrite) await checkOwn(this.root, named.flat(), this.#manifest);
    for (const place of this.#manifest.folders) await io.removeLeftovers(place);
    this.#announced = named.flat().map((path) => nameIn(this.root, path));
    await this.#manifest.announce(this.#announced);
    return new Map(inputs.map((input, i) => [input, new Map(this.kinds.map((kind, k) => [kind, named[i]![k]!]))]));
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
      this.#written.add(nameIn(this.root, path));
    } catch (cause) {
      throw cause instanceof TensorError ? cause : io.unwritable("predict", path, cause);
    }
  }

  /** Lists what was written. */
  async close(): Promise<void> {
    // If this cannot be written, the announced files are still listed.
    await this.#manifest?.settle(this.#announced, this.#written).catch(() => {});
  }
}
