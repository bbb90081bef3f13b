import { TensorError } from "@fcn/tensor";
import { firstOf } from "@fcn/tensor/internal";
import { isBucket, listedOnce } from "../files/buckets.js";
import { fileError } from "../files/errors.js";
import { kindOf, listFiles, listFolders } from "../files/files.js";
import { type DataRemark, plainRemark, withFix } from "../files/remarks.js";
import { type AnyLayout, LAYOUT_ROWS, LAYOUTS, type LayoutName } from "../layouts/index.js";
import { absentParts, hasAll } from "../layouts/lists.js";
import type { OpenedData } from "../samples/dataset.js";
import { foreignAnnotations } from "./foreign.js";
import { withImageRange } from "./imageRange.js";
import { nearMisses } from "./nearLayouts.js";
import { checkOptions, checkOwner, foldersIn, type OpenOptions } from "./openOptions.js";
import { withoutBad } from "./skipBad.js";

/**
 * Opens a folder of labelled images, here or in a bucket, as `s3://bucket/photos` (Node). What lies below the address
 * is listed once, and images are read when they are wanted, each time from the bucket. The layout is recognised from
 * the files and reported in `layout`. Images are not decoded, but masks are if their meaning has to be inferred: for
 * `images/` and `masks/` that is usually every mask, and only one if each class has its `value`, or if each has its
 * `color` and all masks are RGB.
 *
 * Throws `missing-data` if the folder does not exist or holds no known layout, `invalid-argument` for options that are
 * not valid or belong to another layout, `unsupported` for an address of a web server, which lists no files,
 * `missing-package` and `no-network` for buckets, and the reason of `signal` if it is aborted.
 *
 * @example
 * ```ts
 * import { data } from "@fcn/core";
 *
 * const { layout, classes, splits, remarks } = await data.open("street", { validation: 0.1 });
 * console.log(layout, classes, remarks);
 * const sample = await splits.train?.load(0);
 * ```
 */
export async function open(root: string, options: OpenOptions = {}): Promise<OpenedData> {
  const folders = [root, ...foldersIn(options).map(([, folder]) => folder)];
  for (const folder of folders) refuseAddress(folder);
  return listedOnce(folders, () => openFolder(root, options));
}

/** Throws for an address that is not of a bucket. */
function refuseAddress(folder: string): void {
  const [scheme] = /^([a-z][a-z0-9+.-]+:\/\/|s3:)/i.exec(folder) ?? [];
  if (scheme === undefined || isBucket(folder)) return;
  const problem = /^https?:/i.test(scheme)
    ? "a web server does not list its files, so that no images can be found there"
    : `images are not read from ${scheme}`;
  throw fileError("unsupported", folder, problem, "name a folder, or the address of a bucket (s3://bucket/photos)");
}

async function openFolder(root: string, options: OpenOptions): Promise<OpenedData> {
  const folder = root.replace(/(?<=[^/\\:])[/\\]+$/, "");
  const kind = await kindOf(folder);
  if (kind !== "folder") {
    const problem = kind === undefined ? "it does not exist" : "it is a file";
    throw fileError("missing-data", root, problem, "name a folder with labelled images");
  }
  checkOptions(options);
  if (options.layout !== undefined) await checkFit(folder, options.layout);
  const name = options.layout ?? (await recognise(folder));
  checkOwner(root, name, options);
  const layout: AnyLayout = LAYOUTS[name];
  const found: OpenedData = { layout: name, ...(await layout.open(folder, options)) };
  const others = options.layout === undefined ? await otherLayouts(folder, name) : [];
  const remarks = [...others, ...lostLetters(found), ...found.remarks].map(plainRemark);
  const opened = await withImageRange({ ...found, remarks }, options);
  return options.skipBad ? withoutBad(opened, options) : opened;
}

/**
 * Warns of class names damaged by a conversion of text, which replaces all unreadable letters by one character and so
 * may make several names equal.
 */
function lostLetters({ root, classes }: OpenedData): DataRemark[] {
  const lost = classes.filter((name) => name.includes("\ufffd"));
  if (lost.length === 0) return [];
  const what = lost.length === 1 ? "the name of a class has" : `the names of ${lost.length} classes have`;
  const names = firstOf(
    lost.map((name) => `"${name}"`),
    5,
  );
  const text = `${what} the character \ufffd in place of letters that a conversion to UTF-8 lost (${names}): several names may have become one; export or convert the file again from its original, and tell the converter its encoding`;
  return [{ level: "warning", code: "lost-letters", file: root, text }];
}

async function recognise(root: string): Promise<LayoutName> {
  for (const [name, layout] of LAYOUT_ROWS) if (await layout.recognise(root)) return name;
  const near = await nearMisses(root);
  const problems = [...near.map(({ problem }) => problem), ...(await foreignAnnotations(root))];
  const fixes = [...new Set(near.flatMap(({ fix }) => fix ?? []))].slice(0, 2);
  const known = LAYOUT_ROWS.map(([, { what }]) => what).join("; ");
  const otherwise = `put images into images/ and masks of the same name into masks/; also known: ${known}`;
  throw new TensorError({
    code: "missing-data",
    message: [`${root}: no known layout of labelled images is in it`, ...problems].join("; "),
    // If there are annotations, the user meant that layout, so no other is suggested.
    fix: near[0]?.of === "annotations" ? fixes.join("; or ") : [...fixes, otherwise].join("; or "),
  });
}

/**
 * Throws if the files and folders of the requested layout do not exist. For layouts whose files may have any name,
 * missing files are reported on opening.
 */
async function checkFit(root: string, name: LayoutName): Promise<void> {
  const { what, recognise, parts }: AnyLayout = LAYOUTS[name];
  if (parts === undefined || (await recognise(root))) return;
  const absent = await absentParts(root, parts);
  const there = [...(await listFolders(root)).map((folder) => `${folder}/`), ...(await listFiles(root))];
  const missing = absent.length > 0 ? `; missing: ${absent.join(", ")}` : "";
  const problem = `the layout ${name} needs ${what}${missing}; found: ${there.length === 0 ? "nothing" : firstOf(there, 8)}`;
  throw fileError("missing-data", root, problem, {
    code: "put them there, or leave the option layout out, so that the layout is recognised",
    command: "put them there, or leave --layout out, so that the layout is recognised",
  });
}

/** A note if the folder also fits other layouts, whose files are not read. */
async function otherLayouts(root: string, taken: LayoutName): Promise<DataRemark[]> {
  const later = LAYOUT_ROWS.slice(LAYOUT_ROWS.findIndex(([name]) => name === taken) + 1);
  const others: string[] = [];
  for (const [name, { what, parts = [], hasOtherNames, recognise }] of later) {
    // Under one of their other names, VOC's folders also count as a user's own masks.
    const isSame = hasOtherNames && !(await hasAll(root, parts));
    if (!isSame && (await recognise(root))) others.push(`${name} (${what})`);
  }
  if (others.length === 0) return [];
  const text = `it is read by the layout ${taken} (${LAYOUTS[taken].what}), but also fits ${others.join(" and ")}`;
  const about = { level: "note", code: "other-layouts", file: root } as const;
  const fix = (option: string): string => `to choose, set ${option}`;
  return [{ ...about, ...withFix(text, fix("the option layout"), fix("--layout")) }];
}
