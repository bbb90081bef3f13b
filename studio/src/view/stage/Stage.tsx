import { useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { setOverlay } from "../../app/learning.js";
import {
  classColours,
  heldBack,
  leading,
  opacity,
  overlay,
  predicted,
  shown,
  showStrokes,
  tool,
} from "../../app/state.js";
import { Empty } from "../Empty.js";
import { Draft, ImageName, Legend, Ring, Zoom } from "./Extras.js";
import { holdsSpace, listenTo } from "./gestures.js";
import { ImageCanvas } from "./ImageCanvas.js";
import { PaintLayer } from "./paintLayer.js";
import { stageSize, viewport } from "./place.js";

/** The opacity of the prediction. Regions cover the image; of outlines and entropy most is transparent already. */
function strength(): number {
  if (leading.value) return 0.9;
  return overlay.value === "classes" ? opacity.value : Math.min(1, 2 * opacity.value);
}

/** The image with the prediction and the strokes over it, and what paints on it. */
export function Stage() {
  const surface = useRef<HTMLDivElement>(null);
  const pane = useRef<HTMLDivElement>(null);
  const strokes = useRef<HTMLCanvasElement>(null);
  const prediction = useRef<HTMLCanvasElement>(null);
  const layer = useRef<PaintLayer>();

  useLayoutEffect(() => {
    const [on, canvas] = [surface.current, strokes.current];
    if (on === null || canvas === null || prediction.current === null) return undefined;
    layer.current = new PaintLayer(canvas);
    setOverlay(prediction.current);
    const observer = new ResizeObserver(() => {
      stageSize.value = { height: Math.max(1, on.clientHeight), width: Math.max(1, on.clientWidth) };
    });
    observer.observe(on);
    const end = listenTo(on, layer.current);
    return () => {
      observer.disconnect();
      end();
    };
  }, []);

  useSignalEffect(() => {
    const { scale, x, y } = viewport.value;
    if (pane.current !== null) pane.current.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  });

  const image = shown.value;
  const size = image === undefined ? {} : { width: `${image.width}px`, height: `${image.height}px` };
  const isPredicted = overlay.value !== "off" && predicted.value === image?.id;
  useEffect(() => {
    if (image !== undefined) layer.current?.resize(image);
  }, [image?.id]);
  useEffect(() => {
    if (image === undefined) return;
    const { id: imageId, strokes } = image;
    layer.current?.show({ imageId, strokes, colours: classColours.value, heldBack: heldBack.value });
  }, [image, classColours.value, heldBack.value]);

  return (
    <main class="stage" aria-label="Image">
      <div
        class="surface"
        ref={surface}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: keys move and zoom the image from here
        tabIndex={0}
        role="application"
        aria-label="Painting surface"
        aria-describedby="surface-help"
        data-tool={holdsSpace.value ? "pan" : tool.value}
        hidden={image === undefined}
      >
        <div class="pane" ref={pane} style={size} data-leading={leading.value && isPredicted}>
          <ImageCanvas />
          <canvas
            class="prediction"
            ref={prediction}
            role="img"
            aria-label={isPredicted ? `Prediction for ${image.name}` : "No prediction"}
            data-view={overlay.value}
            style={{ opacity: isPredicted ? strength() : 0 }}
          />
          <canvas
            class="strokes"
            ref={strokes}
            role="img"
            aria-label={`${image?.strokes.length ?? 0} strokes`}
            style={{ opacity: showStrokes.value ? 1 : 0 }}
          />
        </div>
        <Draft />
        <Ring />
      </div>
      <p id="surface-help" class="unseen">
        Paint with a mouse, a pen or a finger. Question mark lists the keys.
      </p>
      {image === undefined ? <Empty /> : [<ImageName key="name" />, <Legend key="legend" />, <Zoom key="zoom" />]}
    </main>
  );
}
