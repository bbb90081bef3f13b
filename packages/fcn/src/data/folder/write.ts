import { TensorError } from "@fcn/tensor";
import { invalidArgument, nodeModule } from "@fcn/tensor/internal";
import { loadSharp } from "../../encoding/sharp.js";
import { type Colour, VOID_COLOUR } from "../../labels/colours.js";
import { encodeMask } from "../../labels/mask.js";
import { checkSample, type SegmentationSample } from "../../labels/sample.js";

export interface FolderContent {
  /** Class names by label. */
  readonly classes: readonly string[];
  /** One colour for each class, used in the masks. */
  readonly palette: readonly Colour[];
  /** The samples of each split, such as `train` and `val`; they may be generated one at a time. */
  readonly splits: Readonly<Record<string, Iterable<SegmentationSample> | AsyncIterable<SegmentationSample>>>;
  /** Called after each sample is written. */
  readonly onProgress?: (split: string, done: number) => void;
}

/**
 * Writes samples as a folder that `open` and `fcn train` accept (Node): `images/*.png`, `masks/*.png` with labels as
 * palette indices, `classes.json`, and finally `splits/*.txt`. Images have 1, 3 or 4 channels. Returns the number of
 * samples in each split. Throws `invalid-argument` if two classes, or a class and void, have the same colour,
 * `folder-exists` if `root` already holds images, `invalid-shape` for an inconsistent sample, and `disk-full` or
 * `unwritable-file` if writing fails.
 */
export async function writeFolder(root: string, content: FolderContent): Promise<Record<string, number>> {
  const { join } = nodeModule("writeFolder", "node:path");
  const { readdir } = nodeModule("writeFolder", "node:fs/promises");
  const { makeFolder, writeWholeFile } = await import("../../files/write.js");
  const write = (path: string, bytes: string | Uint8Array): Promise<void> =>
    writeWholeFile("writeFolder", join(root, path), bytes, { sync: false });
  checkColours(content);
  const present = await readdir(join(root, "images")).catch(() => []);
  if (present.length > 0) throw exists(root);
  for (const folder of ["images", "masks", "splits"]) await makeFolder("writeFolder", join(root, folder));
  const { classes, palette, splits, onProgress } = content;
  const taken = new Set<string>();
  const lists: [split: string, names: string[]][] = [];
  for (const [split, samples] of Object.entries(splits)) {
    const names: string[] = [];
    for await (const sample of samples) {
      checkSample("writeFolder", sample, classes.length);
      const name = freeName(sample.name, taken);
      await write(`images/${name}.png`, await encodeImage(sample));
      const { labels, image } = sample;
      await write(
        `masks/${name}.png`,
        await encodeMask({ ...image, labels, palette: palette.slice(0, classes.length) }),
      );
      names.push(name);
      onProgress?.(split, names.length);
    }
    lists.push([split, names]);
  }
  const entries = classes.map((name, label) => ({ name, color: palette[label] }));
  await write("classes.json", `${JSON.stringify(entries, null, 2)}\n`);
  for (const [split, names] of lists) await write(`splits/${split}.txt`, names.map((name) => `${name}\n`).join(""));
  return Object.fromEntries(lists.map(([split, names]) => [split, names.length]));
}

/** Masks are read back by their colours, so each class needs its own, distinct from that of void. */
function checkColours({ classes, palette }: FolderContent): void {
  const refuse = (problem: string, fix: string): never => {
    throw invalidArgument(`writeFolder: ${problem}`, fix);
  };
  const colours = classes.map((name, label) => {
    const colour = palette[label];
    if (colour === undefined) return refuse(`class "${name}" has no colour`, "give one colour a class in palette");
    return String(colour);
  });
  const ofVoid = colours.indexOf(String(VOID_COLOUR));
  if (ofVoid >= 0) {
    refuse(
      `class "${classes[ofVoid]}" has the colour [${VOID_COLOUR}], which is that of void`,
      "choose another colour",
    );
  }
  const twin = colours.findIndex((colour, label) => colours.indexOf(colour) < label);
  if (twin >= 0) {
    const other = classes[colours.indexOf(colours[twin] as string)];
    refuse(`classes "${other}" and "${classes[twin]}" have one colour [${colours[twin]}]`, "choose another colour");
  }
}

/** A file name that every file system accepts and no other sample has. */
function freeName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "sample";
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? plain : `${plain}-${n}`;
    if (taken.has(candidate.toLowerCase())) continue;
    taken.add(candidate.toLowerCase());
    return candidate;
  }
}

async function encodeImage({
  name,
  image: { data, height, width, channels },
}: SegmentationSample): Promise<Uint8Array> {
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new TensorError({
      code: "invalid-shape",
      message: `writeFolder: ${name} has ${channels} channels, but a PNG has 1, 3 or 4`,
      fix: "write each part of the image as a sample of its own",
    });
  }
  const sharp = await loadSharp("writeFolder");
  const bytes = data instanceof Uint8Array ? data : Uint8ClampedArray.from(data);
  return sharp(bytes, { raw: { width, height, channels } }).png().toBuffer();
}

function exists(root: string): TensorError {
  return new TensorError({
    code: "folder-exists",
    message: `writeFolder: ${root} holds images already`,
    fix: "name another folder, or remove this one",
  });
}
