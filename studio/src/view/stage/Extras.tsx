import { Maximize, Minus, Plus } from "lucide-preact";
import { brushSize, classColours, classId, edit, heldBack, session, shown, tool } from "../../app/state.js";
import { renameImage } from "../../session/commands.js";
import { IconButton } from "../controls.js";
import { holdsSpace, hover } from "./gestures.js";
import { draft } from "./painting.js";
import { fit, viewport, zoomBy } from "./place.js";
import { toStage } from "./viewport.js";

/** The polygon that is being drawn, with a line to the pointer. */
export function Draft() {
  const corners = draft.value.map((corner) => toStage(viewport.value, corner));
  const [first] = corners;
  if (first === undefined) return null;
  const ends = hover.value === null ? corners : [...corners, hover.value];
  return (
    <svg class="draft" aria-hidden="true" style={{ color: classColours.value.get(classId.value) }}>
      <polygon points={ends.join(" ")} />
      {corners.map(([x, y], i) => (
        <circle key={`${x} ${y}`} cx={x} cy={y} r={i === 0 ? 6 : 4} />
      ))}
    </svg>
  );
}

/** The circle that brush or eraser would paint. */
export function Ring() {
  const at = hover.value;
  const paints = tool.value === "brush" || tool.value === "eraser";
  if (at === null || !paints || holdsSpace.value) return null;
  const size = brushSize.value;
  const colour = tool.value === "eraser" ? "transparent" : classColours.value.get(classId.value);
  return (
    <div
      class="ring"
      aria-hidden="true"
      style={{
        width: `${size}px`,
        height: `${size}px`,
        transform: `translate(${at[0] - size / 2}px, ${at[1] - size / 2}px)`,
        "--paint": colour,
      }}
    />
  );
}

/** The name of the image, which can be changed: what is taken away is called by it. */
export function ImageName() {
  const image = shown.value;
  if (image === undefined) return null;
  return (
    <input
      class="image-name"
      type="text"
      aria-label="Name of the image"
      key={image.id}
      value={image.name}
      size={Math.max(8, image.name.length)}
      onChange={({ currentTarget }) => {
        edit(renameImage(session.value, image.id, currentTarget.value));
        currentTarget.value = shown.value?.name ?? "";
      }}
      onKeyDown={({ key, currentTarget }) => key === "Enter" && currentTarget.blur()}
    />
  );
}

/** What hatched strokes are for, where there are some. */
export function Legend() {
  const hatched = shown.value?.strokes.filter(({ id }) => heldBack.value.has(id)).length ?? 0;
  if (hatched === 0) return null;
  return (
    <p class="legend">
      <span class="hatch" aria-hidden="true" />
      Hatched strokes are held back to test the net.
    </p>
  );
}

export function Zoom() {
  const percent = Math.round(viewport.value.scale * 100);
  return (
    <fieldset class="zoom" aria-label="Zoom">
      <IconButton label="Zoom out" icon={Minus} onClick={() => zoomBy(0.8)} />
      <output aria-label="Zoom level">{percent} %</output>
      <IconButton label="Zoom in" icon={Plus} onClick={() => zoomBy(1.25)} />
      <IconButton label="Fit to window" icon={Maximize} onClick={fit} />
    </fieldset>
  );
}
