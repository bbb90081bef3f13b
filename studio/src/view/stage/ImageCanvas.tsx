import { useEffect, useRef } from "preact/hooks";
import { thumbnails } from "../../app/images.js";
import { store } from "../../app/keeping.js";
import { newestOnly } from "../../app/newestOnly.js";
import { noteError } from "../../app/notes.js";
import { shown } from "../../app/state.js";
import { decoding } from "../../app/work/decoding.js";

/** Pixels of the longer side at most: enough for a screen, whatever the image has. */
const SIDE = 2048;

/** An image to draw on the canvas, unless another one is shown by the time it is decoded. */
interface Wanted {
  readonly id: string;
  readonly context: ImageBitmapRenderingContext;
  isShown: boolean;
}

/** Decoding takes 4 bytes for each pixel of the file: of images that are leafed through, one at a time has them. */
const draw = newestOnly(async (wanted: Wanted) => {
  const { id, context } = wanted;
  try {
    const bitmap = await decoded(id);
    if (wanted.isShown) context.transferFromImageBitmap(bitmap);
    else bitmap.close();
  } catch (thrown) {
    if (wanted.isShown) throw thrown;
  }
}, noteError);

/** The image that is shown, over its thumbnail until it is decoded. */
export function ImageCanvas() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = shown.value;
  const id = image?.id;

  useEffect(() => {
    const context = canvas.current?.getContext("bitmaprenderer");
    if (id === undefined || !context) return undefined;
    context.transferFromImageBitmap(null);
    const wanted: Wanted = { id, context, isShown: true };
    void draw(wanted);
    return () => {
      wanted.isShown = false;
    };
  }, [id]);

  const thumbnail = id === undefined ? undefined : thumbnails.value.get(id);
  return (
    <canvas
      class="image"
      ref={canvas}
      role="img"
      aria-label={image?.name ?? "No image"}
      style={thumbnail ? { backgroundImage: `url(${thumbnail})` } : {}}
    />
  );
}

async function decoded(id: string): Promise<ImageBitmap> {
  return decoding().scaled(await store().image(id), SIDE);
}
