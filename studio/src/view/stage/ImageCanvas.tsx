import { useEffect, useRef } from "preact/hooks";
import { thumbnails } from "../../app/images.js";
import { store } from "../../app/keeping.js";
import { noteError } from "../../app/notes.js";
import { shown } from "../../app/state.js";

/** Pixels of the longer side at most: enough for a screen, whatever the image has. */
const SIDE = 2048;

/** The image that is shown, over its thumbnail until it is decoded. */
export function ImageCanvas() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const image = shown.value;
  const id = image?.id;

  useEffect(() => {
    const context = canvas.current?.getContext("bitmaprenderer");
    if (id === undefined || !context) return undefined;
    context.transferFromImageBitmap(null);
    let isWanted = true;
    decoded(id)
      .then((bitmap) => {
        if (isWanted) context.transferFromImageBitmap(bitmap);
        else bitmap.close();
      })
      .catch((thrown) => {
        if (isWanted) noteError(thrown);
      });
    return () => {
      isWanted = false;
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
  const [{ workImage }, file] = await Promise.all([import("../../files/readImages.js"), store().image(id)]);
  return workImage(file, SIDE);
}
