import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import { hasCode } from "@fcn/tensor";
import { mapAhead } from "../../../async/pipeline.js";
import { fileError, type ToldError } from "../../../data/files/errors.js";
import type { DataRemark } from "../../../data/files/remarks.js";
import type { Colour } from "../../../labels/colours.js";
import type { Place } from "../../../places/place.js";
import { namesOf, type OutputName } from "../../../prediction/files/outputs.js";
import type { ImageReport } from "../../../prediction/files/run.js";
import type { WrittenFile } from "../../../prediction/files/written.js";
import type { ScenePlan } from "../../../prediction/scene/plan.js";
import type { Chunk } from "../../runs/spec.js";

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
  /** Of scenes that were put together, by their places in the list. */
  readonly joined?: readonly { readonly line: number; readonly report: ImageReport }[];
}

/** How a scene is predicted, and what is known of its net. */
export interface PlannedScene {
  readonly line: number;
  readonly plan: ScenePlan;
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
}

/** A scene with the items of a run that make it: its regions, and then, once all are done, what puts them together. */
export interface ListedScene extends PlannedScene {
  /** The first item of so many regions. */
  readonly first: number;
  readonly regions: number;
  readonly join?: number;
}

/** The scenes of a run so far, whose items follow those of the images. */
export interface SceneList {
  readonly scenes: readonly ListedScene[];
  /** Items of the run with those of the scenes. */
  readonly total: number;
}

/** The labels of a region of a scene. */
export interface StoredRegion {
  readonly labels: Uint8Array;
  /** How often nets ran. */
  readonly tiles: number;
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

  /** Removes what a chunk has left: its part, and the regions that its items may be. */
  async removePart({ k, from, to }: Chunk): Promise<void> {
    await this.place.remove(partName(this.#folder, k));
    for (let item = from; item < to; item++) await this.place.remove(this.#regionName(item));
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

  /** A region by the number of its item: four bytes for the tiles, and the labels, which compress well. */
  async writeRegion(item: number, { tiles, labels }: StoredRegion): Promise<void> {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(tiles);
    await this.place.write(this.#regionName(item), Buffer.concat([head, await deflate(labels)]));
  }

  async readRegion(item: number): Promise<StoredRegion> {
    const bytes = Buffer.from(await this.place.read(this.#regionName(item)));
    return { tiles: bytes.readUInt32LE(), labels: await inflate(bytes.subarray(4)) };
  }

  #regionName(item: number): string {
    return `${this.#folder}/regions/${item}.deflate`;
  }

  writeScenes(list: SceneList): Promise<void> {
    return this.place.write(this.#scenesName, encoder.encode(JSON.stringify(list)));
  }

  /** The scenes so far; undefined before all images of the list are done, and if there are none. */
  async readScenes(): Promise<SceneList | undefined> {
    return (await this.#found(this.#scenesName)) as SceneList | undefined;
  }

  /** A scene by one of its items, and whether all that item is for is to put the scene together. */
  async sceneOf(item: number): Promise<{ readonly scene: ListedScene; readonly isJoin: boolean }> {
    if (this.#scenes === undefined || item >= this.#scenes.total) this.#scenes = await this.readScenes();
    for (const scene of this.#scenes?.scenes ?? []) {
      if (item === scene.join) return { scene, isJoin: true };
      if (item >= scene.first && item < scene.first + scene.regions) return { scene, isJoin: false };
    }
    throw fileError(
      "corrupt-file",
      this.place.addressOf(this.#scenesName),
      `it says nothing of item ${item}`,
      "start the run again",
    );
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
    const reports: ImageReport[] = [];
    try {
      for await (const line of linesOf(this.place.stream(this.#reportName))) {
        reports.push(JSON.parse(line) as ImageReport);
      }
    } catch (error) {
      if (hasCode(error, "missing-data")) return undefined;
      throw error;
    }
    return reports;
  }

  removeReport(): Promise<void> {
    return this.place.remove(this.#reportName);
  }

  get #reportName(): string {
    return `${this.#folder}/report.jsonl`;
  }

  /** Removes all but the report: the list of so many images, files of weights, parts, and the regions of scenes. */
  async clear(images: number, chunks: number, weights: number): Promise<void> {
    const scenes = (await this.readScenes())?.scenes ?? [];
    const folder = this.#folder;
    const names = function* (this: RunFiles): Generator<string> {
      for (let index = 0; index < weights; index++) yield this.#weightsName(index);
      for (const { first, regions } of scenes) {
        for (let item = first; item < first + regions; item++) yield this.#regionName(item);
      }
      for (let block = 0; block * BLOCK < images; block++) yield blockName(folder, block);
      for (let k = 0; k < chunks; k++) yield partName(folder, k);
    };
    for await (const _ of mapAhead(names.call(this), AT_A_TIME, (name) => this.place.remove(name)));
    await this.place.remove(this.#scenesName);
  }
}

/** The lines of a text, each of which ends with a line break, whose whole may be longer than a string can be. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const text = new TextDecoder();
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + text.decode(piece, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
