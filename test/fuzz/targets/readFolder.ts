import { data } from "@fcn/core";
import { loadLabels } from "../../../packages/fcn/src/data/samples/item.js";
import { Finding, judgeLabels } from "../oracle.js";

/** Opens a folder and loads what the changed file has a part in; every eighth time all of it is checked. */
export async function readFolder(
  root: string,
  changed: string,
  options: data.OpenOptions,
  bytes: Uint8Array,
): Promise<string> {
  const opened = await data.open(root, options);
  if (opened.classes.length < 1 || opened.palette.length !== opened.classes.length) {
    throw new Finding("classes", `${opened.classes.length} classes, ${opened.palette.length} colours`);
  }
  judgeRemarks(opened.remarks, bytes);
  if (bytes.length % 8 === 0) {
    const { remarks, splits } = await data.check(opened, { workers: 0 });
    judgeRemarks(remarks, bytes);
    for (const { histogram, pixels, voidShare } of Object.values(splits)) {
      const isSound = [...histogram, pixels, voidShare].every((value) => Number.isFinite(value) && value >= 0);
      if (!isSound || voidShare > 1) throw new Finding("summary", `${pixels} pixels, void ${voidShare}, ${histogram}`);
    }
    return `${opened.layout}: ${remarks.map(({ code }) => code).join(" ")}`;
  }
  const refusals: unknown[] = [];
  for (const split of Object.values(opened.splits)) {
    for (let i = 0; i < Math.min(split.length, 6); i++) {
      const item = split.item?.(i) as data.SampleItem;
      const isImage = item.image.some(({ file }) => file === changed);
      const isShared = opened.splits.train === split && i === 0;
      // Of images that are as they were nothing new can come.
      await (isImage || isShared ? loadWhole(split, i, opened) : loadMap(item, opened)).catch((error: unknown) => {
        refusals.push(error);
      });
    }
  }
  if (refusals.length > 0) throw refusals.find((error) => error instanceof Finding) ?? refusals[0];
  return `${opened.layout}: ${opened.remarks.map(({ code }) => code).join(" ")}`;
}

async function loadWhole(split: data.SegmentationDataset, i: number, { classes }: data.OpenedData): Promise<void> {
  const { image, labels, more = {} } = await split.load(i);
  if (image.data.length !== image.height * image.width * image.channels) throw new Finding("image", split.name(i));
  judgeLabels(labels, image, classes.length);
  for (const map of Object.values(more)) judgeLabels(map, image, classes.length);
}

async function loadMap({ labels: source }: data.SampleItem, { classes }: data.OpenedData): Promise<void> {
  const plane = await loadLabels(source);
  judgeLabels(plane.labels, plane, classes.length);
}

/** Words of the engine in a remark are as bad as in an error; `judgeError` knows them. */
function judgeRemarks(remarks: readonly data.DataRemark[], bytes: Uint8Array): void {
  const quotesIt = new TextDecoder().decode(bytes).includes("undefined");
  for (const { text, file, code } of remarks) {
    const isRaw = /Cannot read|is not a function|is not iterable|call stack|\[object /.test(text);
    if (isRaw || (text.includes("undefined") && !quotesIt)) {
      throw new Finding("words of the engine", `remark ${code} of ${file}: ${text}`);
    }
    if (text.length > 2500) throw new Finding("endless message", `remark ${code}: ${text.slice(0, 300)}`);
  }
}
