import { useEffect, useRef } from "preact/hooks";
import { compareOn, learner } from "../app/learning.js";
import { noteError } from "../app/notes.js";
import { compared, dialog, netState, type Progress, shown } from "../app/state.js";
import type { Stride } from "../learn/learner.js";
import { Dialog } from "./controls.js";
import { ImageCanvas } from "./stage/ImageCanvas.js";

const STRIDES: readonly Stride[] = [32, 16, 8];

/** The paper's figure, live: the same net with scores of three strides, on the shown image. */
export function Compare() {
  const row = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const canvases = row.current?.querySelectorAll<HTMLCanvasElement>("canvas.heads");
    const [of32, of16, of8] = canvases ?? [];
    if (of32 === undefined || of16 === undefined || of8 === undefined) return undefined;
    compareOn({ 32: of32, 16: of16, 8: of8 }).catch(noteError);
    return () => {
      if (netState.value.kind === "ready") learner().compare(null).catch(noteError);
    };
  }, []);
  const image = shown.value;
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
            <div class="picture" style={{ aspectRatio: image === undefined ? 1 : `${image.width} / ${image.height}` }}>
              <ImageCanvas />
              <canvas class="heads" role="img" aria-label={`Prediction of FCN-${stride}s`} />
            </div>
            <figcaption>
              FCN-{stride}s<small>{says(compared.value[stride])}</small>
            </figcaption>
          </figure>
        ))}
      </div>
    </Dialog>
  );
}

function says(progress: Progress | undefined): string {
  if (progress === undefined) return "Starting";
  const { step, loss, heldBack } = progress;
  const accuracy = heldBack === undefined ? "" : ` · held-back accuracy ${Math.round(heldBack.accuracy * 100)} %`;
  return `Step ${step} · loss ${loss.toFixed(3)}${accuracy}`;
}
