import { CircleQuestionMark, Moon, Pause, Play, Redo2, Sun, Undo2 } from "lucide-preact";
import { canRedo, canUndo, dialog, leading, learning, netState, redo, training, undo, view } from "../app/state.js";
import { theme, toggleTheme } from "../app/theme.js";
import type { View } from "../learn/learner.js";
import { type Choice, Choices, IconButton } from "./controls.js";
import { Opacity } from "./Opacity.js";

const VIEWS: readonly Choice<View | "off">[] = [
  { value: "classes", label: "Regions" },
  { value: "outline", label: "Outline" },
  { value: "entropy", label: "Unsure" },
  { value: "off", label: "Off" },
];

/** What training waits for, in words. */
const WAITS: Readonly<Record<string, string>> = {
  "no-strokes": "Paint a stroke of each class",
  loading: "Loading the net",
  paused: "Paused",
};

/** Name, undo and redo, view of the prediction, training, and the page's own settings. */
export function TopBar() {
  const isDark = theme() === "dark";
  return (
    <header class="bar">
      <h1>
        <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
          <rect x="2" y="2" width="20" height="20" rx="5" fill="var(--accent)" />
          <path d="M6 17c3-8 6 2 12-10" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" />
        </svg>
        <span>FCN studio</span>
      </h1>
      <fieldset class="group" aria-label="History">
        <IconButton label="Undo" keys="Ctrl Z" icon={Undo2} disabled={!canUndo.value} onClick={undo} />
        <IconButton label="Redo" keys="Ctrl Shift Z" icon={Redo2} disabled={!canRedo.value} onClick={redo} />
      </fieldset>
      <div class="views">
        <Choices
          name="Prediction"
          choices={VIEWS}
          value={leading.value ? "entropy" : view.value}
          onChoose={(chosen) => {
            leading.value = false;
            view.value = chosen;
          }}
        />
        <Opacity label="Opacity" />
      </div>
      <Training />
      <div class="group">
        <IconButton
          label={isDark ? "Light colours" : "Dark colours"}
          icon={isDark ? Sun : Moon}
          onClick={toggleTheme}
        />
        <IconButton
          label="Help and keys"
          keys="?"
          icon={CircleQuestionMark}
          onClick={() => {
            dialog.value = "help";
          }}
        />
      </div>
    </header>
  );
}

function Training() {
  const wanted = training.value;
  const { on, why, step, stepsPerSecond } = learning.value;
  const words = on ? `Step ${step.toLocaleString("en")} · ${rate(stepsPerSecond)}` : waiting(wanted, why);
  return (
    <button
      type="button"
      class="training"
      role="switch"
      aria-label="Training"
      aria-checked={wanted}
      title="Training on or off (T)"
      disabled={netState.value.kind === "none"}
      data-on={on}
      onClick={() => {
        training.value = !wanted;
      }}
    >
      {wanted ? <Pause size={16} aria-hidden="true" /> : <Play size={16} aria-hidden="true" />}
      <span class="verb">{wanted ? "Training" : "Train"}</span>
      <span class="state">{words}</span>
    </button>
  );
}

function waiting(wanted: boolean, why: string | undefined): string {
  if (netState.value.kind === "none") return "No WebGPU";
  if (netState.value.kind === "starting") return "Opening the device";
  if (!wanted) return "Paused";
  return WAITS[why ?? ""] ?? "Starting";
}

const rate = (stepsPerSecond: number): string =>
  stepsPerSecond >= 10 ? `${Math.round(stepsPerSecond)}/s` : `${stepsPerSecond.toFixed(1)}/s`;
