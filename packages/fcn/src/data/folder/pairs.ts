import type { OptionTable } from "../../options/option.js";
import { fileError, type Remedy } from "../files/errors.js";
import { type DataRemark, withFix } from "../files/remarks.js";
import { counted } from "../files/words.js";
import {
  type Affix,
  affixBeside,
  formatAffix,
  isNoLabel,
  NO_AFFIX,
  parseAffix,
  rankOf,
  stripped,
  withoutAffix,
} from "./affixes.js";
import { grouped, type Images, imagesByName } from "./images.js";

/** An image and its mask under the image's name, which is its path below the folder without the extension. */
export interface Pair {
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

export interface PairOptions {
  /**
   * What masks add to the names of their images: "_mask", or "mask_*" before the name. Default: inferred from the
   * names.
   */
  readonly maskSuffix?: string;
}

/** The option table of {@link PairOptions}. */
export const PAIR_OPTIONS: OptionTable<PairOptions> = {
  maskSuffix: {
    rule: {
      what: "the end of the names, such as _mask, or mask_* for their beginning",
      holds: (value): value is string =>
        typeof value === "string" && /[^*]/.test(value) && value.split("*").length <= 2,
      parse: (text) => (/[^*/\\]/.test(text) && !/[/\\]/.test(text) && text.split("*").length <= 2 ? text : undefined),
    },
    flag: "--mask-suffix <text>",
    help: "for images/ and masks/: what the names of masks add to those of the images, such as _mask, or mask_* at the beginning",
    fallbackText: "inferred from the names",
  },
};

/** A mask that may belong to an image. */
interface Candidate {
  readonly mask: string;
  readonly affix: Affix;
}

/**
 * Pairs the files of two folders (searched recursively) and reports files without a partner. The names match if they
 * are equal, if the mask's has a common extra word (`street_mask`, `mask_street`, `street.jpg`, Cityscapes'
 * `_gtFine_labelIds`), or if the image's does (`street_sat`, `_leftImg8bit`). Among Cityscapes' masks `labelIds` wins.
 * Throws if two masks may belong to one image.
 */
export async function findPairs(
  imageFolder: string,
  maskFolder: string,
  { maskSuffix }: PairOptions = {},
): Promise<{ pairs: Pair[]; remarks: DataRemark[]; hint: Remedy | undefined }> {
  const remarks: DataRemark[] = [];
  const images = await imagesByName(imageFolder, remarks);
  const masks = await imagesByName(maskFolder, remarks);
  const wanted = maskSuffix === undefined ? undefined : parseAffix(maskSuffix);
  const candidates = wanted ? byGivenAffix(images, masks, wanted, maskFolder) : byUsualAffixes(images, masks);
  const chosen = new Map(
    [...candidates].map(([name, list]) => [name, choose(images.files.get(name) ?? "", list, masks)]),
  );
  const pairs = [...images.files].flatMap(([name, image]): Pair[] => {
    const mask = masks.files.get(chosen.get(name)?.mask ?? "");
    return mask === undefined ? [] : [{ name, image, mask }];
  });
  remarks.push(...affixNotes(maskFolder, images, masks, chosen, wanted));
  const hint = wanted ? undefined : unusualAffix(images, masks, chosen);
  remarks.push(...withoutMask(imageFolder, maskFolder, images, masks, chosen, hint));
  remarks.push(...withoutImage(imageFolder, maskFolder, images, masks, chosen, wanted));
  return { pairs, remarks, hint };
}

const fold = (name: string): string => name.toLowerCase();

function byGivenAffix(images: Images, masks: Images, affix: Affix, folder: string): Map<string, Candidate[]> {
  const found = new Map<string, Candidate[]>();
  const places = placesOf(images.files.keys());
  let count = 0;
  for (const mask of masks.files.keys()) {
    const key = withoutAffix(mask, affix);
    if (key === undefined) continue;
    count++;
    const name = images.files.has(key) ? key : places(key);
    if (name !== undefined) add(found, name, { mask, affix });
  }
  if (count > 0) return found;
  const others = countBy([...masks.files.keys()].map((mask) => affixOf(mask, images)));
  const known = others.map(([text, number]) => `${text || "none"} (${number})`).join(", ");
  const problem = `no mask there has "${formatAffix(affix)}" in its name; beyond the names of the images they have: ${known}`;
  throw fileError("invalid-argument", folder, problem, {
    code: "correct maskSuffix, or leave it out",
    command: "correct --mask-suffix, or leave it out",
  });
}

function byUsualAffixes(images: Images, masks: Images): Map<string, Candidate[]> {
  const found = new Map<string, Candidate[]>();
  for (const name of images.files.keys()) if (masks.files.has(name)) add(found, name, { mask: name, affix: NO_AFFIX });
  // A mask with exactly the image's name wins over all others.
  const free = [...images.files.keys()].filter((name) => !found.has(name));
  const places = placesOf(free);
  const taken = new Set(found.keys());
  for (const mask of masks.files.keys()) {
    if (taken.has(mask)) continue;
    const keys = [{ key: mask, affix: NO_AFFIX }, ...stripped(mask, "mask")];
    const hit = keys.map(({ key, affix }) => ({ name: places(key), affix })).find(({ name }) => name !== undefined);
    if (hit?.name !== undefined && !isNoLabel(hit.affix)) add(found, hit.name, { mask, affix: hit.affix });
  }
  return found;
}

/** Finds the only image that a name can mean: apart from capitals, or without the usual words of images. */
function placesOf(names: Iterable<string>): (key: string) => string | undefined {
  const levels = [new Map<string, string | null>(), new Map<string, string | null>()] as const;
  const put = (map: Map<string, string | null>, key: string, name: string): void => {
    map.set(key, map.has(key) && map.get(key) !== name ? null : name);
  };
  for (const name of names) {
    put(levels[0], fold(name), name);
    for (const { key } of stripped(name, "image")) put(levels[1], fold(key), name);
  }
  return (key) => levels[0].get(fold(key)) ?? levels[1].get(fold(key)) ?? undefined;
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  if (map.get(key)?.push(value) === undefined) map.set(key, [value]);
}

/** Chooses among several masks: the only one that is not derived from another, otherwise the best by rank. */
function choose(image: string, list: readonly Candidate[], masks: Images): Candidate {
  const [first] = list as readonly [Candidate];
  if (list.length === 1) return first;
  const plain = list.filter(({ affix }) => rankOf(affix) === undefined);
  if (plain.length === 1) return plain[0] as Candidate;
  const byRank = [...list].sort((a, b) => (rankOf(a.affix) ?? 0) - (rankOf(b.affix) ?? 0));
  const [best, second] = byRank as [Candidate, Candidate];
  if (plain.length === 0 && rankOf(best.affix) !== rankOf(second.affix)) return best;
  const names = list.map(({ mask }) => masks.files.get(mask)).join(" or ");
  const suffixes = list.map(({ affix }) => formatAffix(affix)).filter((text) => text !== "");
  const fix = {
    code: `name that of the masks in the option maskSuffix: ${suffixes.map((text) => `"${text}"`).join(" or ")}`,
    command: `choose with --mask-suffix ${suffixes.map(quoted).join(" or --mask-suffix ")}`,
  };
  throw fileError("ambiguous-mask", image, `its mask may be ${names}`, fix);
}

/** Quotes text as one word for a shell. */
const quoted = (text: string): string => (/^[\w.-]+$/.test(text) ? text : `'${text}'`);

function countBy(texts: readonly string[]): [text: string, count: number][] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/** What a mask's name adds to that of an image; "" if there is no such relation. */
function affixOf(mask: string, images: Images): string {
  const places = new Set(images.files.keys());
  const usual = stripped(mask, "mask").find(({ key }) => places.has(key)) ?? stripped(mask, "mask")[0];
  const affix = affixBeside(mask, places) ?? usual?.affix;
  return affix ? formatAffix(affix) : "";
}

/** Notes on how names were interpreted. */
function affixNotes(
  folder: string,
  images: Images,
  masks: Images,
  chosen: ReadonlyMap<string, Candidate>,
  wanted: Affix | undefined,
): DataRemark[] {
  const other = [...chosen].filter(([name, { mask }]) => mask !== name);
  if (wanted !== undefined || other.length === 0) return [];
  const counts = countBy(other.map(([, { affix }]) => formatAffix(affix)));
  const said = counts.map(([text, count]) =>
    text === "" ? `other words or capitals (${count})` : `"${text}" (${count})`,
  );
  const [name, { mask }] = other[0] as [string, Candidate];
  const pair = `${masks.files.get(mask)} for ${images.files.get(name)}`;
  const text = `names of masks differ from those of their images by ${said.join(", ")}: for example ${pair}`;
  const about = { level: "note", code: "mask-suffix", file: folder } as const;
  const fix = (option: string): string => `to change that, set ${option}`;
  return [{ ...about, ...withFix(text, fix("the option maskSuffix"), fix("--mask-suffix")) }];
}

/**
 * The most frequent addition, other than the usual words, in names of masks without an image to names of images without
 * a mask.
 */
function unusualAffix(images: Images, masks: Images, chosen: ReadonlyMap<string, Candidate>): Remedy | undefined {
  const names = [...images.files.keys()].filter((name) => !chosen.has(name));
  const free = new Set(names.flatMap((name) => [name, ...stripped(name, "image").map(({ key }) => key)]));
  const used = new Set([...chosen.values()].map(({ mask }) => mask));
  const found = [...masks.files.keys()].filter((mask) => !used.has(mask)).map((mask) => affixBeside(mask, free));
  const [most] = countBy(found.flatMap((affix) => (affix ? [formatAffix(affix)] : [])));
  if (most === undefined) return undefined;
  const [text, count] = most;
  const why = `${counted(count, "mask")} ${count === 1 ? "has" : "have"} "${text}" beyond the names of the images`;
  return { code: `${why}: pass maskSuffix: "${text}"`, command: `${why}: --mask-suffix ${quoted(text)}` };
}

function withoutMask(
  imageFolder: string,
  maskFolder: string,
  images: Images,
  masks: Images,
  chosen: ReadonlyMap<string, Candidate>,
  hint: Remedy | undefined,
): DataRemark[] {
  const free = [...images.files].filter(([name]) => !chosen.has(name) && !masks.broken.has(name));
  const absent = free
    .filter(([name]) => !masks.unread.has(name))
    .map(([name, file]) => {
      return { file, text: `it has no mask: ${maskFolder}/${name}.png is missing` };
    });
  const unread = free.flatMap(([name, file]) => {
    const other = masks.unread.get(name);
    return other === undefined
      ? []
      : [{ file, text: `it has no mask: ${other} cannot be used, because a mask must be a PNG file` }];
  });
  const all = (text: string) => (count: number) => `${counted(count, "image")} ${text}`;
  return [
    ...grouped(
      "image-without-mask",
      imageFolder,
      absent,
      all(`have no mask with the same name in ${maskFolder}`),
      hint,
    ),
    ...grouped(
      "image-without-mask",
      imageFolder,
      unread,
      all("have masks in formats that cannot be used, because a mask must be a PNG file"),
    ),
  ];
}

function withoutImage(
  imageFolder: string,
  maskFolder: string,
  images: Images,
  masks: Images,
  chosen: ReadonlyMap<string, Candidate>,
  wanted: Affix | undefined,
): DataRemark[] {
  const used = new Set([...chosen.values()].map(({ mask }) => mask));
  const free = [...masks.files].filter(([name]) => !used.has(name) && !images.broken.has(name));
  const paired = new Set(
    [...chosen.keys()].flatMap((name) => [name, ...stripped(name, "image").map(({ key }) => key)]),
  );
  const isFurther = (name: string): boolean =>
    (wanted !== undefined && withoutAffix(name, wanted) === undefined) ||
    stripped(name, "mask").some(({ key }) => paired.has(key)) ||
    affixBeside(name, paired) !== undefined;
  const further = free.filter(([name]) => isFurther(name));
  const alone = free
    .filter(([name]) => !isFurther(name))
    .map(([name, file]) => {
      const other = images.unread.get(name);
      const why = other === undefined ? "" : `: the format of ${other} is not supported; save it as PNG or JPEG`;
      return { file, text: `it has no image in ${imageFolder}${why}` };
    });
  const all = (count: number): string => `${counted(count, "mask")} have no image with the same name in ${imageFolder}`;
  return [...grouped("mask-without-image", maskFolder, alone, all), ...furtherMasks(maskFolder, further, images)];
}

/** Reports masks that were passed over in favour of another. */
function furtherMasks(folder: string, further: readonly (readonly [string, string])[], images: Images): DataRemark[] {
  if (further.length === 0) return [];
  const counts = countBy(further.map(([name]) => affixOf(name, images)));
  const said = counts.map(([text, count]) => `${text || "no suffix"} (${count})`).join(", ");
  const text = `${counted(further.length, "file")} left out, because another file is the mask of the image: ${said}, such as ${further[0]?.[1]}`;
  const isMade = further.every(([name]) => stripped(name, "mask").some(({ affix }) => rankOf(affix) !== undefined));
  const files = further.map(([, file]) => file);
  return [{ level: isMade ? "note" : "warning", code: "other-masks", file: folder, text, files }];
}
