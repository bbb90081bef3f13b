import { data } from "@fcn/core";

const { augmentSample, createRandom, cutSample, stackSamples, VOID_LABEL } = data;

/** An image at the size of the work, and the class of each painted pixel that may be learned from. */
export interface Lesson {
  readonly image: data.RasterImage;
  readonly labels: Uint8Array;
}

/** What {@link Patches} cuts. */
export interface PatchOptions {
  /** Height and width of a patch in pixels. */
  readonly side: number;
  readonly count: number;
  readonly augment: boolean;
  readonly preprocessing: data.Preprocessing;
  readonly seed: number;
}

/** Changes that leave a photograph a photograph, as the guide suggests them for `fcn train`. */
const AUGMENTATION: data.Augmentation = {
  scale: [0.75, 1.33],
  rotate: 15,
  mirror: true,
  colour: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
};

/**
 * The part around a pixel reaches so many sides of a patch to each side of it, or to the edge of the image: every window
 * in it holds the pixel, even when it is enlarged and turned.
 */
const REACH = 0.6;

/** Where a class was painted: the lesson and the pixel. */
type Place = readonly [lesson: number, pixel: number];

/**
 * Cuts patches around painted pixels: the classes in turn, and in a class each of its pixels as likely as any other,
 * so that a small class counts as much as a large one.
 */
export class Patches {
  readonly #random: data.RandomSource;
  #lessons: readonly Lesson[] = [];
  #places: readonly (readonly Place[])[] = [];
  #made = 0;

  constructor(readonly options: PatchOptions) {
    this.#random = createRandom(options.seed);
  }

  /** Whether there is anything to learn from. */
  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  /** What the patches of the next batch are cut from. */
  set lessons(lessons: readonly Lesson[]) {
    this.#lessons = lessons;
    const places = new Map<number, Place[]>();
    for (const [l, { labels }] of lessons.entries()) {
      for (let pixel = 0; pixel < labels.length; pixel++) {
        const label = labels[pixel] as number;
        if (label === VOID_LABEL) continue;
        const own = places.get(label) ?? [];
        if (own.length === 0) places.set(label, own);
        own.push([l, pixel]);
      }
    }
    this.#places = [...places.values()];
  }

  /** The next batch. There must be a painted pixel. */
  next(): data.HostBatch {
    const { count, preprocessing } = this.options;
    return stackSamples(
      Array.from({ length: count }, () => this.#cut()),
      preprocessing,
    );
  }

  #cut(): data.SegmentationSample {
    const { side, augment, seed } = this.options;
    const made = this.#made++;
    const places = this.#places[made % this.#places.length] as readonly Place[];
    const [l, pixel] = places[Math.floor(this.#random() * places.length)] as Place;
    const { image, labels } = this.#lessons[l] as Lesson;
    const rectangle = around(pixel, image, Math.ceil(side * REACH));
    const change = { ...(augment ? AUGMENTATION : {}), crop: [side, side] as const };
    return augmentSample(cutSample(`image ${l}`, image, labels, rectangle), change, { seed, epoch: made, index: 0 });
  }
}

/** What lies at most `reach` pixels from a pixel in both directions. */
function around(pixel: number, { height, width }: data.RasterImage, reach: number): data.Rectangle {
  const [y, x] = [Math.floor(pixel / width), pixel % width];
  const [top, left] = [Math.max(0, y - reach), Math.max(0, x - reach)];
  return { top, left, height: Math.min(height, y + reach + 1) - top, width: Math.min(width, x + reach + 1) - left };
}
