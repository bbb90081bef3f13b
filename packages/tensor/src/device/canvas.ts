import type { CanvasLike } from "../plain/canvas.js";
import { invalidArgument, TensorError } from "../plain/errors.js";
import { isNode } from "../plain/node.js";
import type { Engine } from "./engine.js";
import type { GuardedDevice } from "./guarded.js";
import type { Storage } from "./storage.js";

const COPY_DST = 2;
const RENDER_ATTACHMENT = 16;

/** The devices for which canvases are set up. A canvas outlives a device that is lost. */
const owners = new WeakMap<object, GuardedDevice>();

/** Words for the rows of a canvas from `top` on, whose rows lie `pitch` words apart. */
export interface CanvasRows {
  readonly words: Storage;
  readonly top: number;
  readonly height: number;
  readonly pitch: number;
}

/** Whether blue comes first in the pixels of canvases here. */
export const isSwapped = (): boolean => formatOf() === "bgra8unorm";

/**
 * What copies rows onto a canvas of [height, width] pixels. All rows are to be copied before the task ends, since the
 * browser then shows the canvas. Throws `invalid-argument` for a canvas that others draw on.
 */
export function openCanvas(
  op: string,
  engine: Engine,
  canvas: CanvasLike,
  [height, width]: readonly [number, number],
): (rows: CanvasRows) => void {
  engine.assertUsable(op);
  engine.repeater.assertRepeatable(`it draws on a canvas (${op})`);
  const { gpu, commands } = engine;
  const side = gpu.limits.maxTextureDimension2D;
  if (Math.max(height, width) > side) {
    throw new TensorError({
      code: "limit-exceeded",
      message: `${op}: a canvas of ${height}x${width} pixels was asked for, and its sides may be ${side} pixels on this device`,
      fix: "draw a smaller image: interpolate it, or crop it",
    });
  }
  const context = contextOf(op, canvas);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  if (owners.get(canvas) !== gpu) {
    const usage = COPY_DST | RENDER_ATTACHMENT;
    gpu.call((device) => context.configure({ device, format: formatOf(), usage, alphaMode: "premultiplied" }));
    owners.set(canvas, gpu);
  }
  const texture = gpu.call(() => context.getCurrentTexture());
  return ({ words, top, height: rows, pitch }) => {
    const [part] = words.parts(0, rows * pitch * 4);
    if (part === undefined) return;
    const layout = { buffer: part.block.buffer, offset: part.offset, bytesPerRow: pitch * 4, rowsPerImage: rows };
    commands.between((encoder) => encoder.copyBufferToTexture(layout, { texture, origin: [0, top] }, [width, rows]));
  };
}

function contextOf(op: string, canvas: CanvasLike): GPUCanvasContext {
  if (typeof canvas?.getContext !== "function") {
    throw invalidArgument(`${op}: there is no canvas to draw on`, {
      code: `pass a canvas of the page or an OffscreenCanvas${isNode() ? "; in Node, write a file: fcn.showImages" : ""}`,
    });
  }
  let context: unknown;
  try {
    context = canvas.getContext("webgpu");
  } catch (error) {
    // A canvas whose control went to a worker.
    throw invalidArgument(`${op}: the canvas cannot be drawn on here: ${(error as Error).message}`, {
      code: "draw in the worker that has its OffscreenCanvas, or pass another canvas",
    });
  }
  if (context) return context as GPUCanvasContext;
  throw invalidArgument(`${op}: the canvas has a context of another kind, such as 2d or webgl, which it keeps`, {
    code: "pass a canvas of which no other context was asked; several may lie one above the other",
  });
}

/** The order of bytes that is shown without a copy. */
const formatOf = (): GPUTextureFormat =>
  (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu?.getPreferredCanvasFormat() ?? "rgba8unorm";
