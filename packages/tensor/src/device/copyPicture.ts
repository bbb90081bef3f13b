import type { PixelPart } from "@fcn/kernels";
import { invalidArgument } from "../plain/errors.js";
import type { Engine } from "./engine.js";
import { outOfMemory } from "./errors.js";
import type { Storage } from "./storage.js";

const COPY_SRC = 1;
const COPY_DST = 2;
const RENDER_ATTACHMENT = 16;

type Picture = GPUCopyExternalImageSourceInfo["source"];

/**
 * Copies a part of a picture of the page into words of memory, one a pixel with straight opacity, whose rows lie
 * `part.pitch` words apart. The picture is read before this returns.
 */
export function copyPicture(op: string, engine: Engine, picture: unknown, part: PixelPart, to: Storage): void {
  engine.assertUsable(op);
  engine.repeater.assertRepeatable(`it makes a tensor from an image (${op})`);
  if (engine.isWarming) return;
  const { gpu, commands, failures } = engine;
  const { height, width, pitch } = part;
  const bytes = height * width * 4;
  const usage = COPY_SRC | COPY_DST | RENDER_ATTACHMENT;
  const descriptor: GPUTextureDescriptor = { label: op, size: [width, height], format: "rgba8unorm", usage };
  const texture = failures.createTexture(descriptor, bytes, (refusal) => {
    if (refusal) failures.record(outOfMemory({ op, byteLength: bytes, shape: [height, width] }, refusal));
  });
  try {
    const endWatch = failures.watch();
    gpu.call(({ queue }) => copyExternal(op, queue, picture, part, texture));
    endWatch();
    const { block, offset } = to.parts(0, height * pitch * 4)[0]!;
    const layout = { buffer: block.buffer, offset, bytesPerRow: pitch * 4, rowsPerImage: height };
    commands.between((encoder) => encoder.copyTextureToBuffer({ texture }, layout, [width, height]));
    commands.flush();
  } finally {
    gpu.destroyBuffer(texture, bytes);
  }
}

function copyExternal(op: string, queue: GPUQueue, picture: unknown, part: PixelPart, texture: GPUTexture): void {
  const { top, left, height, width } = part;
  const target = { texture, colorSpace: "srgb", premultipliedAlpha: false } as const;
  const copy = (source: unknown, origin: [number, number]): void =>
    queue.copyExternalImageToTexture({ source: source as Picture, origin }, target, [width, height]);
  try {
    copy(picture, [left, top]);
  } catch (error) {
    // Browsers differ in the kinds that they take; all take a canvas.
    if (!(error instanceof TypeError)) throw refused(op, error as Error);
    copy(redrawn(op, picture, part), [0, 0]);
  }
}

/** The part of a picture, drawn on a canvas. */
function redrawn(op: string, picture: unknown, { top, left, height, width }: PixelPart): unknown {
  const canvas = new OffscreenCanvas(width, height);
  try {
    canvas.getContext("2d")?.drawImage(picture as CanvasImageSource, -left, -top);
  } catch (error) {
    throw refused(op, error as Error);
  }
  return canvas;
}

const refused = (op: string, error: Error): Error =>
  error.name === "SecurityError"
    ? invalidArgument(`${op}: the browser does not let this page read the image: ${error.message}`, {
        code: 'load it from this origin, or with crossOrigin = "anonymous" from a server that allows it (CORS)',
      })
    : invalidArgument(`${op}: the browser refuses the image: ${error.message}`, {
        code: "pass one that is loaded and not closed: await image.decode(), or await createImageBitmap(blob)",
      });
