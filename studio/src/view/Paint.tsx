import { ArrowDown, ArrowUp, Brush, Eraser, Hand, PaintBucket, Pentagon, Plus, Trash2 } from "lucide-preact";
import { BRUSH, setBrush } from "../app/keyboard.js";
import { noteError } from "../app/notes.js";
import { brushSize, classId, edit, session, shown, showStrokes, strokeCounts, type Tool, tool } from "../app/state.js";
import { addClass, clearStrokes, moveClass, recolourClass, removeClass, renameClass } from "../session/commands.js";
import type { PaintClass, Session } from "../session/types.js";
import { Button, type Choice, Choices, IconButton, Slider, Switch } from "./controls.js";

const TOOLS: readonly Choice<Tool>[] = [
  { value: "brush", label: "Brush", icon: Brush, keys: "B" },
  { value: "eraser", label: "Eraser", icon: Eraser, keys: "E" },
  { value: "fill", label: "Fill", icon: PaintBucket, keys: "F" },
  { value: "polygon", label: "Polygon", icon: Pentagon, keys: "P" },
  { value: "pan", label: "Move the image", icon: Hand, keys: "H" },
];

/** Tools and classes. */
export function Paint() {
  const image = shown.value;
  return (
    <section class="panel paint" aria-label="Paint" id="panel-paint">
      <Choices
        name="Tool"
        choices={TOOLS}
        value={tool.value}
        iconsOnly
        onChoose={(chosen) => {
          tool.value = chosen;
        }}
      />
      <Slider
        label="Brush size"
        least={BRUSH.least}
        most={BRUSH.most}
        value={brushSize.value}
        shown={`${brushSize.value} px`}
        onInput={setBrush}
      />
      <Classes />
      <Button
        icon={Eraser}
        disabled={(image?.strokes.length ?? 0) === 0}
        onClick={() => image && change((now) => clearStrokes(now, image.id))}
      >
        Clear this image
      </Button>
      <Switch
        label="Show strokes"
        checked={showStrokes.value}
        onChange={(on) => {
          showStrokes.value = on;
        }}
      />
    </section>
  );
}

function Classes() {
  const { classes } = session.value;
  return (
    <div class="classes">
      <h2>Classes</h2>
      <ul aria-label="Classes">
        {classes.map((one, place) => (
          <Row key={one.id} one={one} place={place} count={classes.length} />
        ))}
      </ul>
      <Button icon={Plus} onClick={() => change((now) => addClass(now), true)}>
        Add a class
      </Button>
    </div>
  );
}

function Row({ one, place, count }: { readonly one: PaintClass; readonly place: number; readonly count: number }) {
  const chosen = classId.value === one.id;
  const strokes = strokeCounts.value.get(one.id) ?? 0;
  return (
    <li class="class" data-chosen={chosen}>
      <label class="choose">
        <input
          type="radio"
          name="class"
          checked={chosen}
          aria-label={one.name}
          onChange={() => {
            classId.value = one.id;
          }}
        />
        <span class="swatch" style={{ background: `rgb(${one.colour.join(" ")})` }} aria-hidden="true" />
        <span class="name">{one.name}</span>
        <span class="count">
          {strokes}
          <span class="unseen"> strokes</span>
        </span>
        {place < 9 && <kbd>{place + 1}</kbd>}
      </label>
      {chosen && (
        <fieldset class="edit" aria-label={`Change ${one.name}`}>
          <input
            type="color"
            aria-label="Colour"
            value={toHex(one.colour)}
            onChange={({ currentTarget }) => {
              change((now) => recolourClass(now, one.id, fromHex(currentTarget.value)));
              currentTarget.value = toHex(session.value.classes[place]?.colour ?? one.colour);
            }}
          />
          <input
            type="text"
            aria-label="Name"
            value={one.name}
            onChange={({ currentTarget }) => {
              if (currentTarget.value !== one.name) change((now) => renameClass(now, one.id, currentTarget.value));
              currentTarget.value = session.value.classes[place]?.name ?? one.name;
            }}
            onKeyDown={({ key, currentTarget }) => key === "Enter" && currentTarget.blur()}
          />
          <IconButton
            label="Move up"
            icon={ArrowUp}
            disabled={place === 0}
            onClick={() => change((now) => moveClass(now, one.id, place - 1))}
          />
          <IconButton
            label="Move down"
            icon={ArrowDown}
            disabled={place === count - 1}
            onClick={() => change((now) => moveClass(now, one.id, place + 1))}
          />
          <IconButton
            label="Remove the class and its strokes"
            icon={Trash2}
            onClick={() => change((now) => removeClass(now, one.id))}
          />
        </fieldset>
      )}
    </li>
  );
}

function change(command: (now: Session) => Session, chooseLast = false): void {
  try {
    edit(command(session.value));
    if (chooseLast) classId.value = session.value.classes.at(-1)?.id ?? classId.value;
  } catch (thrown) {
    noteError(thrown);
  }
}

const toHex = (colour: PaintClass["colour"]): string =>
  `#${colour.map((value) => value.toString(16).padStart(2, "0")).join("")}`;

const fromHex = (hex: string): PaintClass["colour"] => [
  Number.parseInt(hex.slice(1, 3), 16),
  Number.parseInt(hex.slice(3, 5), 16),
  Number.parseInt(hex.slice(5, 7), 16),
];
