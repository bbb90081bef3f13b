import { hasCode } from "@fcn/tensor";
import type { ToldError } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import type { Place } from "../../../places/place.js";
import type { WrittenFile } from "../../../prediction/files/manifest.js";
import { OUTPUTS, type OutputName } from "../../../prediction/files/outputs.js";
import type { ImageReport } from "../../../prediction/files/run.js";

/** An image of a run. */
export interface ListedImage {
  /** As it was named, for results and messages. */
  readonly input: string;
  /** Where workers find it; absent if it was missing when the run was asked for. */
  readonly address?: string;
  /** The name of its results without an extension. */
  readonly stem: string;
  /** Why there is no image. */
  readonly error?: ToldError;
}

/** What became of a chunk. */
export interface PredictPart {
  readonly images: readonly ImageReport[];
  readonly files: readonly WrittenFile[];
  readonly remarks: readonly DataRemark[];
}

/** Images a file of the list. */
const BLOCK = 1000;

const blockName = (folder: string, block: number): string => `${folder}/list/${String(block).padStart(6, "0")}.jsonl`;
const partName = (folder: string, k: number): string => `${folder}/parts/${k}.json`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const json = async (place: Place, name: string): Promise<unknown> => JSON.parse(decoder.decode(await place.read(name)));

/**
 * What a run keeps in the place for its results while it is running: the list of its images, and a part a chunk. All of
 * it has names that follow from the run, so that nothing has to be listed.
 */
export class RunFiles {
  readonly #folder: string;
  #block: { readonly index: number; readonly images: readonly ListedImage[] } | undefined;

  constructor(
    readonly place: Place,
    id: string,
  ) {
    this.#folder = `.fcn-run-${id}`;
  }

  async writeList(images: readonly ListedImage[]): Promise<void> {
    for (let from = 0; from < images.length; from += BLOCK) {
      const lines = images.slice(from, from + BLOCK).map((image) => `${JSON.stringify(image)}\n`);
      await this.place.write(blockName(this.#folder, from / BLOCK), encoder.encode(lines.join("")));
    }
  }

  /** Images [from, to) of the list. */
  async readList(from: number, to: number): Promise<ListedImage[]> {
    const images: ListedImage[] = [];
    for (let index = Math.floor(from / BLOCK); index * BLOCK < to; index++) {
      const block = await this.#readBlock(index);
      images.push(...block.slice(Math.max(0, from - index * BLOCK), to - index * BLOCK));
    }
    return images;
  }

  /** The names of all results that the images of the list may have. */
  async names(total: number, save: readonly OutputName[]): Promise<string[]> {
    const images = await this.readList(0, total);
    return images.flatMap(({ stem }) => save.map((kind) => `${stem}${OUTPUTS[kind].suffix}`));
  }

  async #readBlock(index: number): Promise<readonly ListedImage[]> {
    if (this.#block?.index === index) return this.#block.images;
    const text = decoder.decode(await this.place.read(blockName(this.#folder, index)));
    const images = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ListedImage);
    this.#block = { index, images };
    return images;
  }

  writePart(k: number, part: PredictPart): Promise<void> {
    return this.place.write(partName(this.#folder, k), encoder.encode(JSON.stringify(part)));
  }

  /** The part of a chunk, or undefined if it is not done. */
  async readPart(k: number): Promise<PredictPart | undefined> {
    try {
      return (await json(this.place, partName(this.#folder, k))) as PredictPart;
    } catch (error) {
      if (hasCode(error, "missing-data")) return undefined;
      throw error;
    }
  }

  writeReport(lines: AsyncIterable<ImageReport>): Promise<void> {
    const encoded = async function* () {
      for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`);
    };
    return this.place.write(this.#reportName, encoded());
  }

  /** What became of the images, or undefined if that was read and removed. */
  async takeReport(): Promise<ImageReport[] | undefined> {
    if ((await this.place.stat(this.#reportName)) === undefined) return undefined;
    const text = decoder.decode(await this.place.read(this.#reportName));
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ImageReport);
  }

  removeReport(): Promise<void> {
    return this.place.remove(this.#reportName);
  }

  get #reportName(): string {
    return `${this.#folder}/report.jsonl`;
  }

  /** Removes the list and the parts. */
  async clear(total: number, chunks: number): Promise<void> {
    for (let block = 0; block * BLOCK < total; block++) await this.place.remove(blockName(this.#folder, block));
    for (let k = 0; k < chunks; k++) await this.place.remove(partName(this.#folder, k));
  }
}
