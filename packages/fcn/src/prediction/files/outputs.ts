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
import { checkOwn, type Named, nameIn, nameOutputs } from "./outputNames.js";

/** How many pixels of an image have one class. */
export interface ClassShare {
  readonly label: number;
  readonly class: string;
  readonly pixels: number;
  /** Part of all pixels, 0 to 1. */
  readonly share: number;
}

/** A predicted image, and what its net calls and paints its classes. */
export interface Predicted {
  readonly input: string;
  readonly prediction: Prediction;
  /** On their way to their file, where they are wanted. */
  readonly probabilities: NpyProbabilities | undefined;
  readonly shares: readonly ClassShare[];
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
  /** The class that overlays leave unpainted; -1 for none. */
  readonly plain: number;
  /** Pixels that polygons may move by. */
  readonly tolerance: number;
}

interface OutputKind {
  readonly suffix: string;
  readonly write: (path: string, predicted: Predicted) => Promise<void>;
}

/** Many small files: they are not each brought to the disk at once. */
const write = (path: string, content: string | Uint8Array | Iterable<string>): Promise<void> =>
  writeWholeFile("predict", path, content, { sync: false });

/** What can be written of an image. */
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
    write: (path, predicted) => write(path, `${JSON.stringify(summaryOf(predicted), null, 2)}\n`),
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

/** What is said of an image beside its pixels. */
export function summaryOf({ input, prediction: { height, width, tiles }, shares }: Predicted) {
  return { input, height, width, tiles, classes: shares };
}

/** The classes that occur, in the order of their labels. */
export function classShares({ labels }: Prediction, classes: readonly string[]): ClassShare[] {
  const counts = new Float64Array(256);
  for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
  return [...counts.entries()]
    .filter(([, pixels]) => pixels > 0)
    .map(([label, pixels]) => {
      return { label, class: classes[label] ?? `class ${label}`, pixels, share: pixels / labels.length };
    });
}

/**
 * One folder with the results of images. It keeps a list of what was written, so that no other file is written over.
 */
export class OutputFolder {
  readonly #written = new Set<string>();
  #manifest: Manifest | undefined;
  #announced: string[] = [];

  constructor(
    readonly root: string,
    private readonly kinds: readonly OutputName[],
  ) {}

  /** Makes the folder and tries it. Throws a TensorError where nothing can be written. */
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
   * Gives the results of each input names that no other result and no input has. Throws a TensorError ("file-exists")
   * where another file than a result of predict has one of them, unless `overwrite`. Removes what killed runs left half
   * written.
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
   * The file of the probabilities of an image, which is made with the first of them; undefined where they are not
   * wanted.
   */
  probabilities(paths: OutputPaths, size: RasterImage): NpyProbabilities | undefined {
    const path = paths.get("probabilities");
    return path === undefined
      ? undefined
      : new NpyProbabilities(path, size, () => makeFolder("predict", dirname(path)));
  }

  /**
   * Writes all results of an image, each under a temporary name first. Throws a TensorError that names the file:
   * "disk-full" or "unwritable-file".
   */
  async write(paths: OutputPaths, predicted: Predicted): Promise<void> {
    for (const [kind, path] of paths) {
      try {
        await makeFolder("predict", dirname(path));
        await OUTPUTS[kind].write(path, predicted);
        this.#written.add(nameIn(this.root, path));
      } catch (cause) {
        throw cause instanceof TensorError ? cause : io.unwritable("predict", path, cause);
      }
    }
  }

  /** Lists what was written. */
  async close(): Promise<void> {
    // Where that cannot be written, what was announced is still listed.
    await this.#manifest?.settle(this.#announced, this.#written).catch(() => {});
  }
}
