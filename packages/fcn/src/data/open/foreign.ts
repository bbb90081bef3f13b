import { firstOf } from "@fcn/tensor/internal";
import { startOf } from "../annotations/jsonFiles.js";
import { listFiles } from "../files/files.js";
import { counted } from "../files/words.js";

interface Format {
  readonly what: string;
  readonly files: RegExp;
  /** Matches the first bytes of a file. */
  readonly start: RegExp;
  readonly fix: string;
}

const NUMBER = "[-+]?\\d*\\.?\\d+(?:e[-+]?\\d+)?";
const BOXES = "they hold boxes, from which no pixel can be learned: draw or export polygons or masks";
const AS_COCO = "export as COCO with segmentation";

/** Annotations written by other tools that are not supported. */
const FORMATS: readonly Format[] = [
  {
    what: "CVAT for images (XML)",
    files: /\.xml$/i,
    start: /<annotations>.*<(version|meta|image)\b/s,
    fix: 'export as "COCO 1.0" or "Segmentation mask 1.1" from CVAT',
  },
  { what: "LabelMe of MIT (XML)", files: /\.xml$/i, start: /<annotation\b.*<polygon>/s, fix: AS_COCO },
  { what: "Pascal VOC boxes (XML)", files: /\.xml$/i, start: /<annotation\b.*<(filename|object|size)>/s, fix: BOXES },
  {
    what: "YOLO boxes (text)",
    files: /\.txt$/i,
    start: new RegExp(`^\\s*\\d+(?:[ \\t]+${NUMBER}){4,5}[ \\t]*(?:\\r?\\n|$)`, "i"),
    fix: BOXES,
  },
  {
    what: "YOLO polygons (text)",
    files: /\.txt$/i,
    start: new RegExp(`^\\s*\\d+(?:[ \\t]+${NUMBER}){6,}`, "i"),
    fix: AS_COCO,
  },
  {
    what: "the VGG Image Annotator (VIA)",
    files: /\.json$/i,
    start: /"(_via_img_metadata|_via_settings|shape_attributes|region_attributes)"\s*:/,
    fix: `${AS_COCO} from VIA`,
  },
  {
    what: "Label Studio",
    files: /\.json$/i,
    start: /"(from_name|to_name)"\s*:/,
    fix: 'export as "COCO" or "PNG masks" from Label Studio',
  },
  { what: "Supervisely", files: /\.json$/i, start: /"(geometryType|classTitle)"\s*:/, fix: AS_COCO },
];

/** Most files in a folder are of one kind, so the first ones suffice. */
const MOST_FILES = 200;

/**
 * Describes annotations in unsupported formats, with a sentence and a remedy for each format, for a folder in which
 * nothing else is found. Looks at the start of the first files with each extension.
 */
export async function foreignAnnotations(root: string): Promise<string[]> {
  const found = new Map<Format, string[]>();
  const files = await listFiles(root, { recursive: true });
  for (const ending of [/\.xml$/i, /\.txt$/i, /\.json$/i]) {
    for (const file of files.filter((path) => ending.test(path)).slice(0, MOST_FILES)) {
      const text = await startOf(root, file).catch(() => "");
      const format = FORMATS.find((candidate) => candidate.files.test(file) && candidate.start.test(text));
      if (format !== undefined) found.set(format, [...(found.get(format) ?? []), file]);
    }
  }
  return [...found].map(([{ what, fix }, names]) => {
    const verb = names.length === 1 ? "is of" : "are of";
    return `${counted(names.length, "file")} (${firstOf(names, 2)}) ${verb} ${what}, which is not supported: ${fix}`;
  });
}
