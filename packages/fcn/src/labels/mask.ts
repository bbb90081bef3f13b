import { TensorError } from "@fcn/tensor";
import { invalidArgument, invalidShape } from "@fcn/tensor/internal";
import { encodeIndexedPng } from "../encoding/indexedPng.js";
import { type Colour, VOID_COLOUR } from "./colours.js";
import { type Labels, labelValues } from "./labels.js";
import { VOID_LABEL } from "./sample.js";

/** A label map and the colours of its classes. */
export interface Mask {
  /** One label per pixel, row by row: 0, 1, ..., or 255 for void. */
  readonly labels: Labels;
  /** In pixels. */
  readonly height: number;
  readonly width: number;
  /** One colour for each class, 1 to 255 of them; void is shown in (224, 224, 192), as in PASCAL VOC. */
  readonly palette: readonly Colour[];
}

/**
 * Encodes a label map as a PNG with a palette (ISO/IEC 15948, colour type 3, 8 bits), in Node and in browsers: the
 * palette index of a pixel is its label, so that image viewers show the colours and `data.decodeMask`, `fcn train` and
 * PIL read the labels. Returns the bytes of the file. Throws `invalid-shape` unless there is one label per pixel,
 * `label-out-of-range` for a label that is neither void nor has a colour, and `invalid-argument` for a palette that is
 * no list of 1 to 255 colours.
 */
export async function encodeMask({ labels, height, width, palette }: Mask): Promise<Uint8Array<ArrayBuffer>> {
  const values = labelValues(labels, "encodeMask");
  checkPalette(palette);
  const isSize = Number.isInteger(height) && Number.isInteger(width) && height > 0 && width > 0;
  if (!isSize || values.length !== height * width) {
    throw invalidShape(
      `encodeMask: a mask of ${height}x${width} needs one label per pixel, ${values.length} were given`,
      "pass height x width labels, row by row, and both sides as whole numbers of 1 or more",
    );
  }
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < bytes.length; i++) {
    const label = values[i] as number;
    if (label !== VOID_LABEL && palette[label] === undefined) throw outOfRange(label, i, width, palette.length);
    bytes[i] = label;
  }
  const colours = Array.from({ length: VOID_LABEL }, (_, label): Colour => palette[label] ?? [0, 0, 0]);
  return encodeIndexedPng({ labels: bytes, height, width, palette: [...colours, VOID_COLOUR] });
}

function checkPalette(palette: readonly Colour[]): void {
  const fix = "pass one colour [red, green, blue] of 0 to 255 for each class";
  if (!(palette.length >= 1 && palette.length <= VOID_LABEL)) {
    throw invalidArgument(`encodeMask: the palette has ${palette.length} colours, but must have 1 to 255`, fix);
  }
  const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255;
  const bad = palette.findIndex((colour) => !(Array.isArray(colour) && colour.length === 3 && colour.every(isByte)));
  if (bad >= 0) throw invalidArgument(`encodeMask: colour ${bad} of the palette is [${palette[bad]}]`, fix);
}

function outOfRange(label: number, at: number, width: number, colours: number): TensorError {
  const place = `column ${at % width}, row ${Math.floor(at / width)}`;
  return new TensorError({
    code: "label-out-of-range",
    message: `encodeMask: label ${label} (${place}) has no colour, the palette has ${colours} (0 to ${colours - 1})`,
    fix: `give each class a colour, or map the label to a class or to ${VOID_LABEL} (void)`,
  });
}
