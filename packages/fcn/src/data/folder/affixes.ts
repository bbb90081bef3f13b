import { fileName, folderOf } from "../files/files.js";

/** What a mask's name adds to that of its image, before and after: `mask_` and `_gt` in `mask_street_gt`. */
export interface Affix {
  readonly start: string;
  readonly end: string;
}

export const NO_AFFIX: Affix = { start: "", end: "" };

/** An affix as written in an option: `_mask`, or `mask_*` if it comes before the name. */
export const formatAffix = ({ start, end }: Affix): string => (start === "" ? end : `${start}*${end}`);

/** Parses the result of {@link formatAffix}; `*_mask` and `_mask.png` are read as `_mask`. */
export function parseAffix(text: string): Affix {
  const [first = "", ...rest] = text.replace(/\.png$/i, "").split("*");
  return rest.length === 0 ? { start: "", end: first } : { start: first, end: rest.join("*") };
}

/** The rest of a name (`folder/start-name-end`) without the affix; undefined if the name does not have it. */
export function withoutAffix(name: string, { start, end }: Affix): string | undefined {
  const base = fileName(name);
  const isOne = base.length > start.length + end.length && base.startsWith(start) && base.endsWith(end);
  return isOne ? folderOf(name) + base.slice(start.length, base.length - end.length) : undefined;
}

/** Words of Cityscapes and similar sets, best to train on first; masks with the last one do not hold classes. */
const RANKED = ["labelids", "labeltrainids", "trainids", "colou?r", "instance(train)?ids"];
const MASK_WORDS = [
  ...["masks?", "labels?", "lbl", "gt", "ground-?truth", "segm?", "segmentations?", "annotations?", "anno", "annot"],
  ...["gtfine", "gtcoarse", "matte", ...RANKED],
];
const IMAGE_WORDS = ["images?", "img", "im", "sat", "rgb", "photo", "image", "leftimg8bit", "rightimg8bit", "original"];

/** A word after a separator, an image extension (`street.jpg.png`), or CamVid's `_L`. */
const endOf = (words: readonly string[], more = ""): RegExp =>
  new RegExp(`(?:[_\\-. ](?:${words.join("|")})|\\.(?:jpe?g|png|tiff?|webp|bmp|gif)${more})$`, "i");
/** A word followed by a separator or a number. */
const startOf = (words: readonly string[]): RegExp => new RegExp(`^(?:${words.join("|")})(?:[_\\-. ]|(?=\\d))`, "i");

const KNOWN = {
  mask: { end: endOf(MASK_WORDS), start: startOf(MASK_WORDS) },
  image: { end: endOf(IMAGE_WORDS), start: startOf(IMAGE_WORDS) },
} as const;

/** The possible names of an image or a mask without the usual affixes, starting with the shortest affix removed. */
export function stripped(name: string, kind: keyof typeof KNOWN): { readonly key: string; readonly affix: Affix }[] {
  const { end, start } = KNOWN[kind];
  const [folder, base] = [folderOf(name), fileName(name)];
  const ends = [""];
  for (let left = base; ; ) {
    const word = end.exec(left)?.[0] ?? (kind === "mask" && /[^L]_L$/.test(left) ? "_L" : "");
    if (word === "" || word.length >= left.length) break;
    left = left.slice(0, left.length - word.length);
    ends.push(base.slice(left.length));
  }
  const starts = ["", start.exec(base)?.[0] ?? ""].filter((word, i) => i === 0 || word !== "");
  const affixes = starts.flatMap((word) => ends.map((last) => ({ start: word, end: last })));
  return affixes.flatMap((affix) => {
    const key = base.slice(affix.start.length, base.length - affix.end.length);
    const isPart = affix.start.length + affix.end.length < base.length && key !== base;
    return isPart ? [{ key: folder + key, affix }] : [];
  });
}

/** The rank among masks of one image that are derived from one another; undefined for other masks. */
export function rankOf({ end }: Affix): number | undefined {
  const rank = RANKED.findIndex((word) => new RegExp(`[_\\-. ]${word}$`, "i").test(end));
  return rank < 0 ? undefined : rank;
}

/** Whether masks with this affix hold something other than classes. */
export const isNoLabel = (affix: Affix): boolean => rankOf(affix) === RANKED.length - 1;

/**
 * The affix of a name that contains one of `names`, set off by a character other than a letter or digit, or by a
 * capital (`street1Segmentation`).
 */
export function affixBeside(name: string, names: ReadonlySet<string>): Affix | undefined {
  const [folder, base] = [folderOf(name), fileName(name)];
  for (let cut = base.length - 1; cut > 0; cut--) {
    const isEnd = !/[\p{L}\p{N}]/u.test(base[cut] as string) || /[^\p{Lu}]\p{Lu}/u.test(base.slice(cut - 1, cut + 1));
    if (isEnd && names.has(folder + base.slice(0, cut))) return { start: "", end: base.slice(cut) };
    const isStart = !/[\p{L}\p{N}]/u.test(base[base.length - cut - 1] as string);
    if (isStart && names.has(folder + base.slice(base.length - cut))) {
      return { start: base.slice(0, base.length - cut), end: "" };
    }
  }
  return undefined;
}
