import type { TensorError } from "@fcn/tensor";
import { checkValues, invalidArgument, type Rule, rules } from "@fcn/tensor/internal";
import type { SegmentationSample } from "../../labels/sample.js";
import { createRandom, type RandomSource, shuffledIndices } from "../random.js";
import { voidEdges } from "../samples/boundary.js";
import { type Canvas, cover, type Placement, paste } from "./paste.js";
import { checkRgba, Pyramid, type RgbaImage } from "./raster.js";

/** An object cut out of its image; its alpha is its mask. */
export interface Cutout {
  readonly name: string;
  /** Class index from 1; 0 is background. */
  readonly label: number;
  readonly image: RgbaImage;
}

/** The material that composite samples are made of. */
export interface CompositeSource {
  /** Class names by label, background first. */
  readonly classes: readonly string[];
  readonly cutouts: readonly Cutout[];
  readonly backgrounds: readonly { readonly name: string; readonly image: RgbaImage }[];
}

export interface CompositeOptions {
  /** Side of the square samples in pixels. */
  readonly size: number;
  readonly seed: number;
  /** Fewest and most cut-outs in a sample. Default 1 to 3. */
  readonly objects?: readonly [number, number];
  /** Range of the longer side of a cut-out, as a fraction of the sample's side. Default 0.35 to 0.8. */
  readonly scale?: readonly [number, number];
  /** Largest rotation of cut-outs in either direction, in degrees. Default 30. */
  readonly rotation?: number;
  /** Whether to mirror cut-outs and backgrounds left to right with probability one half. Default true. */
  readonly mirror?: boolean;
  /** Pixels whose alpha (0 to 255) exceeds this belong to the cut-out. Default 127. */
  readonly alphaThreshold?: number;
  /** Pixels within this distance of another label become void, as in PASCAL VOC. Default 0, which makes none void. */
  readonly voidBorder?: number;
}

const DEFAULTS = {
  objects: [1, 3],
  scale: [0.35, 0.8],
  rotation: 30,
  mirror: true,
  alphaThreshold: 127,
  voidBorder: 0,
} as const;
type Settings = Required<CompositeOptions>;

/**
 * Composes images with exact labels from cut-outs at random positions, sizes and angles on random crops of photographs.
 * All classes are equally frequent, however many cut-outs they have. The same source and seed give the same samples,
 * and a smaller number of samples gives a prefix of a larger one. Throws `invalid-argument` or `invalid-shape` for a
 * source or an option that is not valid.
 */
export function composeSamples(
  source: CompositeSource,
  count: number,
  options: CompositeOptions,
): SegmentationSample[] {
  return [...composeEach(source, count, options)];
}

/** Yields the samples of {@link composeSamples} one at a time. Throws before the first one. */
export function composeEach(
  source: CompositeSource,
  count: number,
  options: CompositeOptions,
): Iterable<SegmentationSample> {
  const settings: Settings = { ...DEFAULTS, ...options };
  checkSource(source);
  checkSettings(settings, count);
  return compose(source, count, settings);
}

function* compose(source: CompositeSource, count: number, settings: Settings): Generator<SegmentationSample> {
  const random = createRandom(settings.seed);
  const cutouts = source.cutouts.map((cutout) => ({ ...cutout, pyramid: new Pyramid(cutout.image) }));
  const backgrounds = source.backgrounds.map((item) => ({ ...item, pyramid: new Pyramid(item.image) }));
  const drawBackground = deck(backgrounds, random);
  const drawCutout = classDeck(cutouts, random);
  for (let i = 0; i < count; i++) {
    const canvas = emptyCanvas(settings.size);
    const background = drawBackground();
    cover(canvas, background, coverPlacement(background.image, settings, random));
    const [fewest, most] = settings.objects;
    const objects = fewest + Math.floor(random() * (most - fewest + 1));
    for (let n = 0; n < objects; n++) {
      const cutout = drawCutout();
      paste(canvas, cutout, pastePlacement(cutout.image, settings, random), settings.alphaThreshold);
    }
    yield toSample(`${i + 1} on ${background.name}`, canvas, settings);
  }
}

/** Draws all items without repetition, then shuffles again. */
function deck<T>(items: readonly T[], random: RandomSource): () => T {
  let order: number[] = [];
  return () => {
    if (order.length === 0) order = shuffledIndices(items.length, random);
    return items[order.pop() as number] as T;
  };
}

/** Draws from a deck of classes, and for each class from a deck of its cut-outs. */
function classDeck<T extends Cutout>(cutouts: readonly T[], random: RandomSource): () => T {
  const labels = [...new Set(cutouts.map((cutout) => cutout.label))].sort((a, b) => a - b);
  const decks = labels.map((label) =>
    deck(
      cutouts.filter((cutout) => cutout.label === label),
      random,
    ),
  );
  const drawClass = deck(decks, random);
  return () => drawClass()();
}

function emptyCanvas(size: number): Canvas {
  return { height: size, width: size, rgb: new Float32Array(size * size * 3), labels: new Uint8Array(size * size) };
}

/** A square window of the background, at least the sample's size and at most the whole shorter side. */
function coverPlacement(image: RgbaImage, { size, mirror }: Settings, random: RandomSource): Placement {
  const shorter = Math.min(image.width, image.height);
  const window = Math.min(shorter, size) + random() * Math.max(0, shorter - size);
  const scale = size / window;
  const middle = (length: number): number => (length - window) * (random() - 0.5);
  const [offsetX, offsetY] = [middle(image.width), middle(image.height)];
  const flip = mirror && random() < 0.5;
  return { x: size / 2 + offsetX * scale, y: size / 2 + offsetY * scale, scale, angle: 0, mirror: flip };
}

/** A random size, angle and position; the centre stays a quarter of the cut-out's length away from the border. */
function pastePlacement(image: RgbaImage, settings: Settings, random: RandomSource): Placement {
  const { size, rotation, mirror } = settings;
  const [least, most] = settings.scale;
  const length = size * (least + random() * (most - least));
  const along = (): number => length / 4 + random() * (size - length / 2);
  return {
    x: along(),
    y: along(),
    scale: length / Math.max(image.width, image.height),
    angle: ((2 * random() - 1) * rotation * Math.PI) / 180,
    mirror: mirror && random() < 0.5,
  };
}

function toSample(name: string, { rgb, labels, height, width }: Canvas, { voidBorder }: Settings): SegmentationSample {
  const data = Uint8Array.from(rgb, (value) => Math.min(255, Math.round(value)));
  const edged = voidBorder > 0 ? voidEdges(labels, { height, width, radius: voidBorder }) : labels;
  return { name, image: { data, height, width, channels: 3 }, labels: edged };
}

function checkSource({ classes, cutouts, backgrounds }: CompositeSource): void {
  if (cutouts.length === 0 || backgrounds.length === 0) {
    throw invalid(`${cutouts.length} cut-outs and ${backgrounds.length} backgrounds`, "pass at least one of each");
  }
  for (const { name, image } of [...cutouts, ...backgrounds]) checkRgba("composeSamples", name, image);
  const stray = cutouts.find(({ label }) => !Number.isInteger(label) || label < 1 || label >= classes.length);
  if (stray === undefined) return;
  const fix = `number the classes from 1 to ${classes.length - 1}, and list the background first`;
  throw invalid(`cut-out ${stray.name} has the label ${stray.label}, but there are ${classes.length} classes`, fix);
}

const pair = (what: string, one: Rule<number>): Rule<readonly [number, number]> =>
  rules.rule(
    what,
    (value) => rules.listOf(what, one, 2).holds(value) && value.every((n, i) => n >= (value[i - 1] ?? 0)),
  );

function checkSettings({ size, objects, scale, rotation, alphaThreshold, voidBorder }: Settings, count: number): void {
  checkValues("composeSamples", [
    ["count", count, rules.whole(0)],
    ["size", size, rules.whole(1)],
    ["objects", objects, pair("[fewest, most]", rules.whole(0))],
    ["scale", scale, pair("[shortest, longest] above 0", rules.positive)],
    ["rotation", rotation, rules.upTo(180)],
    ["alphaThreshold", alphaThreshold, rules.from(0, 255)],
    ["voidBorder", voidBorder, rules.from(0)],
  ]);
}

function invalid(problem: string, fix: string): TensorError {
  return invalidArgument(`composeSamples: ${problem}`, fix);
}
