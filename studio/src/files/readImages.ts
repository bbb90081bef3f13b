import { imageSize } from "image-size";
import { StudioError } from "../session/errors.js";
import { type Size, workSize } from "../session/workSize.js";

/** A larger image takes gigabytes to decode, train on and predict. */
const MOST_MEGAPIXELS = 50;

/** The first bytes of a file, among which images state their size; metadata before it are rarely longer. */
const HEADER_BYTES = 2 ** 20;

/** The longer side of thumbnails in pixels, twice what is shown, for dense screens. */
const THUMBNAIL_SIDE = 256;

/** Colours as they are stored, which is how `fcn predict` takes them. */
const AS_STORED = { premultiplyAlpha: "none", colorSpaceConversion: "none" } as const;

/** Formats by what image-size calls them, in words. */
const FORMATS: Readonly<Record<string, string>> = {
  avif: "an AVIF image",
  bmp: "a BMP image",
  gif: "a GIF image",
  heic: "a HEIC image",
  heif: "a HEIF image",
  ico: "an icon",
  jp2: "a JPEG 2000 image",
  jpg: "a JPEG image",
  jxl: "a JPEG XL image",
  png: "a PNG image",
  psd: "a Photoshop file",
  svg: "an SVG drawing",
  tiff: "a TIFF image",
  webp: "a WebP image",
};

/** Those that every browser reads: one that cannot be decoded is damaged. */
const READ_EVERYWHERE = ["avif", "bmp", "gif", "jpg", "png", "webp"];

/** What an image states of itself. */
interface Header extends Size {
  readonly type: string;
}

/** An image that can be painted on, with its size at full size after the turn that its EXIF data ask for. */
export interface ReadImage extends Size {
  readonly name: string;
}

/**
 * Decodes an image file to see that it can be used.
 *
 * @param name of the file, for messages
 * @throws StudioError `invalid-image` for anything that the browser cannot decode, `image-too-large` for more than 50
 *   megapixels, which is found out without decoding them where the file states its size
 */
export async function readImage(file: Blob, name: string): Promise<ReadImage> {
  if (file.size === 0) throw unusable(`"${name}" is empty.`, "Copy the image again from where it came from.");
  const header = await headerOf(file);
  if (header !== undefined) checkSize(name, header);
  const bitmap = await decode(file, `"${name}"`, header);
  const { height, width } = bitmap;
  bitmap.close();
  checkSize(name, { height, width });
  return { name, height, width };
}

/**
 * An image at the size of the work, upright, with its colours as they are stored.
 *
 * @param workSide the longer side in pixels at most
 */
export async function workImage(file: Blob, workSide: number): Promise<ImageBitmap> {
  const whole = await decode(file, "The image");
  const { height, width } = workSize(whole, workSide);
  if (height === whole.height && width === whole.width) return whole;
  // Browsers disagree on whether a size that is asked for while decoding is meant before or after the turn by EXIF.
  const scaled = { resizeHeight: height, resizeWidth: width, resizeQuality: "high" } as const;
  return createImageBitmap(whole, { ...AS_STORED, ...scaled }).finally(() => whole.close());
}

/** A small picture of an image, at most 256 pixels in height and width, as a file for an `<img>`. */
export async function thumbnail(file: Blob): Promise<Blob> {
  const bitmap = await workImage(file, THUMBNAIL_SIDE);
  return toPng(bitmap);
}

/** An image file as PNG, upright, at full size. */
export const asPng = async (file: Blob): Promise<Blob> => toPng(await decode(file, "The image"));

/** The format that the first bytes of an image file tell, as "jpg" or "png"; undefined for anything else. */
export const imageType = async (file: Blob): Promise<string | undefined> => (await headerOf(file))?.type;

/** A picture as PNG; it is closed. */
function toPng(bitmap: ImageBitmap): Promise<Blob> {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * Decodes an image as it is stored, upright. Throws StudioError `invalid-image` with the likeliest reason.
 *
 * @param what names the image in that
 */
export async function decode(file: Blob, what: string, header?: Header): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, AS_STORED);
  } catch (cause) {
    throw await undecodable(file, what, header ?? (await headerOf(file)), cause);
  }
}

async function headerOf(file: Blob): Promise<Header | undefined> {
  const found = await sizeIn(file.slice(0, HEADER_BYTES));
  return found ?? (file.size > HEADER_BYTES ? sizeIn(file) : undefined);
}

async function sizeIn(part: Blob): Promise<Header | undefined> {
  try {
    const { height, width, type } = imageSize(new Uint8Array(await part.arrayBuffer()));
    return type === undefined ? undefined : { height, width, type };
  } catch {
    // It throws for anything that is no image, and for one whose size it cannot find.
    return undefined;
  }
}

function checkSize(name: string, { height, width }: Size): void {
  const megapixels = (height * width) / 1e6;
  if (megapixels <= MOST_MEGAPIXELS) return;
  throw new StudioError(
    "image-too-large",
    `"${name}" is a ${Math.round(megapixels)}-megapixel image (${width} x ${height}), and the studio takes ${MOST_MEGAPIXELS} megapixels at most.`,
    "Scale it down, or cut it into parts, and add those.",
  );
}

async function undecodable(file: Blob, what: string, header: Header | undefined, cause: unknown): Promise<StudioError> {
  const format = FORMATS[header?.type ?? ""];
  if (header !== undefined && READ_EVERYWHERE.includes(header.type)) {
    const fix = "Copy it again from where it came from, or save it anew as JPEG or PNG.";
    return unusable(`${what} is ${format} that is damaged or cut off.`, fix, cause);
  }
  const fix = "Convert it to JPEG or PNG first.";
  if (format !== undefined) return unusable(`${what} is ${format}, which this browser cannot read.`, fix, cause);
  const content = await contentOf(file);
  return unusable(`${what} is ${content.what}.`, content.fix ?? fix, cause);
}

/** What a file is that is no image, as far as its first bytes tell. */
async function contentOf(file: Blob): Promise<{ readonly what: string; readonly fix?: string }> {
  const bytes = new Uint8Array(await file.slice(0, 1024).arrayBuffer());
  const start = String.fromCharCode(...bytes.subarray(0, 12));
  if (start.startsWith("PK")) return { what: "a zip, not an image", fix: "Drop it as a data set, or unpack it first." };
  if (start.startsWith("%PDF")) return { what: "a PDF file, not an image", fix: "Export its pages as JPEG or PNG." };
  if (start.slice(4, 8) === "ftyp") {
    return {
      what: "a film, or an image of a format that this browser cannot read",
      fix: "Save a frame of it as JPEG.",
    };
  }
  const isText = bytes.every((byte) => byte >= 0x20 || byte === 9 || byte === 10 || byte === 13);
  if (isText) return { what: "text, not an image", fix: "Choose the image itself." };
  return { what: "not an image of a format that this browser can read" };
}

const unusable = (message: string, fix: string, cause?: unknown): StudioError =>
  new StudioError("invalid-image", message, fix, { cause });
