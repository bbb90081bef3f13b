import type { Abortable } from "../../async/abort.js";
import { mapAhead } from "../../async/pipeline.js";
import { isDeepImage } from "../decode/image.js";
import { type PixelRange, type PixelScale, rangeText, short } from "../decode/pixelScale.js";
import { unlessAway } from "../files/errors.js";
import type { DataRemark } from "../files/remarks.js";
import { type OpenedData, type SegmentationDataset, withScale } from "../samples/dataset.js";
import { type WorkerOptions, withPool } from "../workers/pool.js";
import { chooseRange, type RangeSurvey } from "../workers/rangeSurvey.js";

export interface RangeOptions {
  /**
   * The values that become 0 and 255 in all images of more than 8 bits. Default: the common scale that the images fill
   * (0 to 65535, 0 to 255, or 0 to 1 for floats); otherwise from the smallest to the largest value of the training
   * images. If that is more than twice as wide as the range without the lowest and the highest 0.1 % of the values, it
   * is the latter.
   */
  readonly range?: PixelRange;
}

/** The most images examined for a range; of more, this many are taken at even steps. */
const MOST_IMAGES = 256;

/**
 * Gives every image of more than 8 bits the range that maps it to 8 bits: `range`, or one that suits the training
 * images. Images of 8 bits are unchanged.
 */
export async function withImageRange(
  opened: OpenedData,
  options: RangeOptions & WorkerOptions & Abortable,
): Promise<OpenedData> {
  const files = [...new Set(Object.values(opened.splits).flatMap(photographs))];
  const deep = await onlyDeep(files, options);
  const { root, remarks } = opened;
  if (deep.size === 0) {
    if (options.range === undefined) return opened;
    const text = "a range was given, but all images have 8 bits, and keep their values";
    return { ...opened, remarks: [...remarks, { level: "note", code: "range-unused", file: root, text }] };
  }
  const training = (opened.splits.train ? photographs(opened.splits.train) : files).filter((file) => deep.has(file));
  const surveys = await surveyAll(training.length > 0 ? training : [...deep], options);
  const depths = [...new Set(surveys.map(({ depth }) => depth))].sort();
  const range = options.range ?? chooseRange(surveys);
  // No image can be read, which is reported when they are loaded.
  if (range === undefined) return opened;
  const flat = files.find((file) => !deep.has(file));
  const about: DataRemark[] = [rangeNote(root, range, depths, options.range !== undefined)];
  if (depths.length > 1 || flat !== undefined) about.push(mixedDepths(root, depths, [...deep][0] as string, flat));
  const scale: PixelScale = { range, depths: flat === undefined ? depths : [...depths, "uint8"] };
  const splits = Object.entries(opened.splits).map(([name, data]) => [name, withScale(data, { range })] as const);
  return { ...opened, splits: Object.fromEntries(splits), ...scale, remarks: [...about, ...remarks] };
}

const photographs = ({ length, item }: SegmentationDataset): string[] =>
  item === undefined
    ? []
    : Array.from({ length }, (_, i) => item(i).image).flatMap((parts) =>
        parts.filter(({ as }) => as === "rgb").map(({ file }) => file),
      );

/** Formats that always hold 8 bits, or are decoded to 8 bits as photographs. */
const FLAT = /\.(jpe?g|webp|gif|avif)$/i;
const AT_ONCE = 32;

async function onlyDeep(files: readonly string[], { signal }: Abortable): Promise<Set<string>> {
  const candidates = files.filter((file) => !FLAT.test(file));
  const looked = mapAhead(candidates, AT_ONCE, async (file) => ({
    file,
    isDeep: await isDeepImage(file).catch(unlessAway(false)),
  }));
  const deep = new Set<string>();
  for await (const { file, isDeep } of looked) {
    signal?.throwIfAborted();
    if (isDeep) deep.add(file);
  }
  return deep;
}

async function surveyAll(files: readonly string[], options: WorkerOptions & Abortable): Promise<RangeSurvey[]> {
  const step = Math.max(1, files.length / MOST_IMAGES);
  const some = Array.from({ length: Math.ceil(files.length / step) }, (_, i) => files[Math.floor(i * step)] as string);
  const found = await withPool(options, some.length, (pool) =>
    // An unreadable image is reported when it is loaded.
    Promise.all(some.map((file) => pool.run("range", file).catch(unlessAway(undefined)))),
  );
  options.signal?.throwIfAborted();
  return found.filter((survey) => survey !== undefined);
}

function rangeNote(root: string, range: PixelRange, depths: readonly string[], isGiven: boolean): DataRemark {
  const [low, high] = range.map(short);
  const what = `the images are ${depths.join(" and ")}: their values from ${rangeText(range)} become 0 to 255 in 8 bits, in training and in prediction alike`;
  const text = isGiven ? what : `${what} (--range ${low},${high} or another range; in code, the option range)`;
  return { level: "note", code: "pixel-range", file: root, text };
}

function mixedDepths(root: string, depths: readonly string[], deep: string, flat: string | undefined): DataRemark {
  const kinds = flat === undefined ? depths : [...depths, `8 bits (${flat})`];
  const text = `its images are of different depth, ${kinds.join(" and ")}: those of more than 8 bits, such as ${deep}, share one range, and those of 8 bits keep their values, so that the same thing may look different; save all images with one depth`;
  return { level: "warning", code: "mixed-depths", file: root, text };
}
