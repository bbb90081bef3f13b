import { useEffect, useRef } from "preact/hooks";
import { thumbnails } from "../app/images.js";
import { compareOn, learner } from "../app/learning.js";
import { noteError } from "../app/notes.js";
import { dialog, shown } from "../app/state.js";
import type { Stride } from "../learn/learner.js";
import { Dialog } from "./controls.js";

const STRIDES: readonly Stride[] = [32, 16, 8];

/** The paper's figure, live: the same net with scores of three strides, on the shown image. */
export function Compare() {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const canvases = row.current?.querySelectorAll("canvas");
    const [of32, of16, of8] = canvases ?? [];
    if (of32 === undefined || of16 === undefined || of8 === undefined) return undefined;
    compareOn({ 32: of32, 16: of16, 8: of8 }).catch(noteError);
    return () => {
      learner().compare(null).catch(noteError);
    };
  }, []);
  const image = shown.value;
  const address = image === undefined ? undefined : thumbnails.value.get(image.id);
  return (
    <Dialog
      title="FCN-32s, FCN-16s and FCN-8s"
      wide
      onClose={() => {
        dialog.value = null;
      }}
    >
      <p>
        Three heads learn from your strokes at once, on the same layers. The finer the stride of their scores, the finer
        the borders they can draw.
      </p>
      <div class="compare" ref={row}>
        {STRIDES.map((stride) => (
          <figure key={stride}>
            <div
              class="picture"
              style={{
                aspectRatio: image === undefined ? 1 : `${image.width} / ${image.height}`,
                backgroundImage: address ? `url(${address})` : "none",
              }}
            >
              <canvas role="img" aria-label={`Prediction of FCN-${stride}s`} />
            </div>
            <figcaption>FCN-{stride}s</figcaption>
          </figure>
        ))}
      </div>
    </Dialog>
  );
}
