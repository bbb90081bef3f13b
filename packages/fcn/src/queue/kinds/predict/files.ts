import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { hasCode } from "@fcn/tensor";
import { mapAhead } from "../../../async/pipeline.js";
import type { ToldError } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import type { Colour } from "../../../labels/colours.js";
import type { Place } from "../../../places/place.js";
import { namesOf, type OutputName } from "../../../prediction/files/outputs.js";
import type { ImageReport } from "../../../prediction/files/run.js";
import type { WrittenFile } from "../../../prediction/files/written.js";
import type { ScenePlan } from "../../../prediction/scene/plan.js";

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
  /** Images that are too large for one worker, by their place in the list. */
  readonly scenes?: readonly PlannedScene[];
  /** Of regions of scenes, by the number of the item. */
  readonly regions?: readonly RegionPart[];
}

/** How a scene is predicted, and what is known of its net. */
export interface PlannedScene {
  readonly line: number;
  readonly plan: ScenePlan;
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
}

/** What became of a region, apart from its labels. */
export interface RegionPart {
  readonly item: number;
  readonly tiles: number;
  /** How often each label occurs. */
  readonly counts: readonly number[];
}

/** The scenes of a run, whose regions are the items from `lines` on. */
export interface SceneList {
  /** Images of the list. */
  readonly lines: number;
  readonly scenes: readonly (PlannedScene & { readonly first: number; readonly regions: number })[];
}

/** Images a file of the list. */
const BLOCK = 1000;
/** Small files that are read or removed at a time. */
const AT_A_TIME = 16;

const blockName = (folder: string, block: number): string => `${folder}/list/${String(block).padStart(6, "0")}.jsonl`;
const partName = (folder: string, k: number): string => `${folder}/parts/${k}.json`;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const [deflate, inflate] = [promisify(deflateRaw), promisify(inflateRaw)];

/**
 * What a run keeps in the place for its results while it is running: the list of its images, and a part a chunk. All of
 * it has names that follow from the run, so that nothing has to be listed.
 */
export class RunFiles {
  readonly #folder: string;
  #scenes: SceneList | undefined;
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

  /** Puts weights beside the list, and returns their address. */
  async writeWeights(index: number, bytes: Uint8Array): Promise<string> {
    const name = this.#weightsName(index);
    await this.place.write(name, bytes);
    return this.place.addressOf(name);
  }

  #weightsName(index: number): string {
    return `${this.#folder}/weights/${index}.safetensors`;
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
    return images.flatMap(({ stem }) => [...namesOf(stem, save).values()]);
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
    return (await this.#found(partName(this.#folder, k))) as PredictPart | undefined;
  }

  /** The parts of so many chunks in order, some of which are read ahead. */
  parts(chunks: number): AsyncGenerator<PredictPart | undefined> {
    return mapAhead(Array(chunks).keys(), AT_A_TIME, (k) => this.readPart(k));
  }

  /** What a file holds, or undefined if it is not there. */
  async #found(name: string): Promise<unknown> {
    const text = await this.#text(name);
    return text && JSON.parse(text);
  }

  async #text(name: string): Promise<string | undefined> {
    const bytes = await this.place.read(name).catch((error: unknown) => {
      if (hasCode(error, "missing-data")) return undefined;
      throw error;
    });
    return bytes && decoder.decode(bytes);
  }

  /** The labels of a region, which compress well. */
  async writeRegion(item: number, labels: Uint8Array): Promise<void> {
    await this.place.write(this.#regionName(item), await deflate(labels));
  }

  async readRegion(item: number): Promise<Uint8Array> {
    return inflate(await this.place.read(this.#regionName(item)));
  }

  #regionName(item: number): string {
    return `${this.#folder}/regions/${item}.deflate`;
  }

  writeScenes(list: SceneList): Promise<void> {
    return this.place.write(this.#scenesName, encoder.encode(JSON.stringify(list)));
  }

  /** The scenes, once all images of the list are done; undefined before, and if there are none. */
  async readScenes(): Promise<SceneList | undefined> {
    this.#scenes ??= (await this.#found(this.#scenesName)) as SceneList | undefined;
    return this.#scenes;
  }

  get #scenesName(): string {
    return `${this.#folder}/scenes.json`;
  }

  writeReport(lines: AsyncIterable<ImageReport>): Promise<void> {
    const encoded = async function* () {
      for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`);
    };
    return this.place.write(this.#reportName, encoded());
  }

  /** What became of the images, or undefined if that was removed. */
  async readReport(): Promise<ImageReport[] | undefined> {
    return (await this.#text(this.#reportName))
      ?.trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as ImageReport);
  }

  removeReport(): Promise<void> {
    return this.place.remove(this.#reportName);
  }

  get #reportName(): string {
    return `${this.#folder}/report.jsonl`;
  }

  /** Removes all but the report: the list, so many files of weights, the parts, and the regions of scenes. */
  async clear(total: number, chunks: number, weights: number): Promise<void> {
    const lines = (await this.readScenes())?.lines ?? total;
    const folder = this.#folder;
    const names = function* (this: RunFiles): Generator<string> {
      for (let index = 0; index < weights; index++) yield this.#weightsName(index);
      for (let item = lines; item < total; item++) yield this.#regionName(item);
      for (let block = 0; block * BLOCK < lines; block++) yield blockName(folder, block);
      for (let k = 0; k < chunks; k++) yield partName(folder, k);
    };
    for await (const _ of mapAhead(names.call(this), AT_A_TIME, (name) => this.place.remove(name)));
    await this.place.remove(this.#scenesName);
  }
}
