import {
  brushSize,
  classId,
  dialog,
  leading,
  redo,
  session,
  showStrokes,
  step,
  type Tool,
  tool,
  training,
  undo,
  view,
} from "./state.js";

/** A key, what it does in words, and the doing. */
export interface Shortcut {
  /** As they are shown; one of them is enough. */
  readonly keys: readonly string[];
  readonly does: string;
  /** Compared with the key that the event names, in lower case. */
  readonly matches: readonly string[];
  readonly control?: boolean;
  readonly shift?: boolean;
  readonly run: () => void;
  /** Arrow keys belong to the control that has the focus. */
  readonly yields?: boolean;
}

const VIEWS = ["classes", "outline", "entropy", "off"] as const;
/** CSS pixels. */
export const BRUSH = { least: 2, most: 200 } as const;

export function setBrush(size: number): void {
  brushSize.value = Math.round(Math.min(BRUSH.most, Math.max(BRUSH.least, size)));
}

export function cycleView(): void {
  leading.value = false;
  view.value = VIEWS[(VIEWS.indexOf(view.value) + 1) % VIEWS.length] ?? "classes";
}

const choose = (chosen: Tool) => (): void => {
  tool.value = chosen;
};

/** The shortcuts by subject, as the help lists them. The stage adds those that move the image. */
export const SHORTCUTS: Readonly<Record<string, readonly Shortcut[]>> = {
  Paint: [
    { keys: ["B"], does: "Brush", matches: ["b"], run: choose("brush") },
    { keys: ["E"], does: "Eraser", matches: ["e"], run: choose("eraser") },
    { keys: ["F"], does: "Fill", matches: ["f"], run: choose("fill") },
    { keys: ["P"], does: "Polygon", matches: ["p"], run: choose("polygon") },
    { keys: ["["], does: "Smaller brush", matches: ["["], run: () => setBrush(brushSize.value / 1.25) },
    { keys: ["]"], does: "Larger brush", matches: ["]"], run: () => setBrush(Math.max(brushSize.value * 1.25, 3)) },
    {
      keys: ["1 to 9"],
      does: "Choose a class",
      matches: [],
      run: () => undefined,
    },
    { keys: ["S"], does: "Show or hide the strokes", matches: ["s"], run: () => toggle(showStrokes) },
  ],
  "Undo and redo": [
    { keys: ["Ctrl Z"], does: "Undo", matches: ["z"], control: true, shift: false, run: undo },
    { keys: ["Ctrl Shift Z", "Ctrl Y"], does: "Redo", matches: ["z"], control: true, shift: true, run: redo },
    { keys: [], does: "", matches: ["y"], control: true, run: redo },
  ],
  Images: [
    { keys: [",", "Left"], does: "Previous image", matches: [","], run: () => step(-1) },
    { keys: [".", "Right"], does: "Next image", matches: ["."], run: () => step(1) },
    { keys: [], does: "", matches: ["arrowleft"], yields: true, run: () => step(-1) },
    { keys: [], does: "", matches: ["arrowright"], yields: true, run: () => step(1) },
  ],
  Net: [
    { keys: ["T"], does: "Training on or off", matches: ["t"], run: () => toggle(training) },
    { keys: ["V"], does: "Next view of the prediction", matches: ["v"], run: cycleView },
    { keys: ["U"], does: "Show where a stroke helps most", matches: ["u"], run: () => toggle(leading) },
  ],
  Page: [
    {
      keys: ["?"],
      does: "This list",
      matches: ["?"],
      run: () => {
        dialog.value = dialog.value === "help" ? null : "help";
      },
    },
  ],
};

const ALL = Object.values(SHORTCUTS).flat();

/** Keys of the stage that the help lists besides. */
export const STAGE_KEYS = [
  { keys: ["Wheel", "+", "-"], does: "Zoom" },
  { keys: ["0"], does: "Fit the image to the window" },
  { keys: ["H"], does: "Move the image; or hold Space, or use the middle button or two fingers" },
  { keys: ["Enter", "Esc"], does: "Close or give up a polygon" },
] as const;

/** Runs what a key stands for, unless the key belongs to what has the focus. */
export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || isWithin(event, TAKES_KEYS)) return;
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (!control && /^[1-9]$/.test(key)) {
    const chosen = session.value.classes[Number(key) - 1];
    if (chosen !== undefined) classId.value = chosen.id;
    return;
  }
  const found = ALL.find(
    (one) =>
      one.matches.includes(key) &&
      (one.control ?? false) === control &&
      (one.shift === undefined || one.shift === event.shiftKey) &&
      !(one.yields && isWithin(event, OWNS_ARROWS)),
  );
  if (found === undefined) return;
  event.preventDefault();
  found.run();
}

function toggle(state: { value: boolean }): void {
  state.value = !state.value;
}

/** Controls that take keys as text, and dialogs. */
export const TAKES_KEYS = "textarea, select, dialog, input:not([type=range], [type=checkbox], [type=radio])";
const OWNS_ARROWS = "input, [role=tablist], [role=toolbar]";

/** Whether what has the focus is, or lies in, what a selector says. */
export const isWithin = ({ target }: KeyboardEvent, selector: string): boolean =>
  target instanceof Element && target.closest(selector) !== null;
