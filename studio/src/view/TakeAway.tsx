import { Download, FolderOpen, Trash2, Upload } from "lucide-preact";
import { useEffect, useState } from "preact/hooks";
import { askToForget } from "../app/bringBack.js";
import { store } from "../app/keeping.js";
import { netState, panel, session, settings } from "../app/state.js";
import {
  allImages,
  type LabelChoice,
  labelChoice,
  labelsHold,
  takeCoco,
  takeDataSet,
  takeOnnx,
  takePictures,
  takeSession,
  takeWeights,
} from "../app/takeAway.js";
import { Button, Choices } from "./controls.js";
import { pickFolder, pickZip } from "./picking.js";

const HOLD: readonly (readonly [LabelChoice, string])[] = [
  ["both", "Prediction, strokes on top"],
  ["net", "Prediction alone"],
  ["strokes", "Strokes alone"],
];

/** What can be taken away and brought back, and what is kept. */
export function TakeAway() {
  const isEmpty = session.value.images.length === 0;
  const hasNet = netState.value.kind === "ready";
  return (
    <div class="takeaway">
      <section>
        <h2>Labels</h2>
        <label class="field">
          <span>What they hold</span>
          <select
            value={labelsHold()}
            disabled={!hasNet}
            onChange={({ currentTarget }) => {
              labelChoice.value = currentTarget.value as LabelChoice;
            }}
          >
            {HOLD.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <Choices
          name="Images to take"
          choices={[
            { value: "one", label: "This image" },
            { value: "all", label: "All images" },
          ]}
          value={allImages.value ? "all" : "one"}
          onChoose={(chosen) => {
            allImages.value = chosen === "all";
          }}
        />
        <div class="pair">
          <Take disabled={isEmpty} onClick={() => takePictures("mask")} name="Masks (PNG)" />
          <Take disabled={isEmpty} onClick={() => takePictures("overlay")} name="Overlay (PNG)" />
          <Take disabled={isEmpty} onClick={takeDataSet} name="Data set (zip)" />
          <Take disabled={isEmpty} onClick={takeCoco} name="COCO (JSON)" />
        </div>
        <small>Data set and COCO hold all images at full size; fcn data check and fcn train take the data set.</small>
      </section>
      <section>
        <h2>Net</h2>
        <div class="pair">
          <Take disabled={!hasNet} onClick={takeWeights} name="Weights" />
          <Take disabled={!hasNet} onClick={takeOnnx} name="ONNX" />
        </div>
        <HowToUse />
      </section>
      <section>
        <h2>Session</h2>
        <Take disabled={isEmpty} onClick={takeSession} name="Whole session (zip)" />
        <Button icon={Upload} onClick={pickZip}>
          Bring back a zip
        </Button>
        <Button icon={FolderOpen} onClick={pickFolder}>
          Bring back a folder
        </Button>
        <small>A data set's images join those that are here; a session takes their place.</small>
      </section>
      <Kept />
    </div>
  );
}

function Take({
  name,
  disabled,
  onClick,
}: {
  readonly name: string;
  readonly disabled: boolean;
  readonly onClick: () => Promise<void>;
}) {
  return (
    <Button icon={Download} disabled={disabled} onClick={() => void onClick()}>
      {name}
    </Button>
  );
}

/** The command that uses the weights, on images of the size that the net learned from. */
function HowToUse() {
  const { workSide } = settings.value;
  const largest = Math.max(0, ...session.value.images.map(({ height, width }) => Math.max(height, width)));
  const scale = Math.min(1, workSide / Math.max(1, largest));
  const scales = scale < 1 ? ` --scales ${scale.toPrecision(2)}` : "";
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <code tabIndex={0}>{`fcn predict photo.jpg \\\n  --weights net.safetensors \\\n  --out masks${scales}`}</code>
      {scale < 1 && <small>The scale brings images of your size to the {workSide} pixels that the net knows.</small>}
    </>
  );
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const inWords = (bytes: number): string =>
  bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GB` : `${Math.round(bytes / MIB)} MB`;

function Kept() {
  const [usage, setUsage] = useState<{ readonly bytes: number; readonly most: number | undefined }>();
  const isOpen = panel.value === "take";
  useEffect(() => {
    if (!isOpen) return;
    // Before the store is open there is nothing to tell; the panel asks again when it is opened.
    Promise.resolve()
      .then(() => store().usage())
      .then(setUsage, () => setUsage(undefined));
  }, [isOpen, session.value.images]);
  return (
    <section>
      <h2>Kept in this browser</h2>
      {usage && (
        <p>
          {inWords(usage.bytes)} in use
          {usage.most !== undefined && ` of ${inWords(usage.most)}`}
        </p>
      )}
      <Button icon={Trash2} kind="danger" onClick={askToForget}>
        Delete everything
      </Button>
    </section>
  );
}
