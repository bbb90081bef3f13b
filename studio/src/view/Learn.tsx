import { Columns3, RotateCcw, Upload } from "lucide-preact";
import { resetNet } from "../app/learning.js";
import { note, noteError } from "../app/notes.js";
import { curves, dialog, leading, learning, netState, settings } from "../app/state.js";
import type { NetChoice } from "../session/types.js";
import { Curves } from "./Curves.js";
import { Button, Switch } from "./controls.js";
import { Opacity } from "./Opacity.js";
import { pickWeights } from "./picking.js";

const NETS: readonly (readonly [NetChoice, string])[] = [
  ["fcn8s-small", "Small, from nothing (fcn8s-small)"],
  ["fcn8s-mobilenetv2", "Pretrained (fcn8s-mobilenetv2)"],
];
const SIDES = [128, 192, 256, 384, 512, 768, 1024] as const;

/** The net: how it does, and how it learns. */
export function Learn() {
  return (
    <div class="learn">
      <Figures />
      <Curves points={curves.value} />
      <Switch
        label="Show where a stroke helps most"
        hint="Dims what the net is sure of. Paint where it is bright."
        checked={leading.value}
        onChange={(on) => {
          leading.value = on;
        }}
      />
      <Opacity label="Opacity of the prediction" />
      <Choice />
      <div class="row">
        <Button
          icon={Columns3}
          disabled={netState.value.kind !== "ready"}
          onClick={() => {
            dialog.value = "compare";
          }}
        >
          Compare FCN-32s, 16s, 8s
        </Button>
        <Button icon={Upload} onClick={pickWeights}>
          Load weights
        </Button>
        <Button icon={RotateCcw} disabled={netState.value.kind !== "ready"} onClick={startAgain}>
          Start again
        </Button>
      </div>
      <Adapter />
    </div>
  );
}

async function startAgain(): Promise<void> {
  try {
    await resetNet();
    note("info", "The net has forgotten what it learned; your strokes are all there.");
  } catch (thrown) {
    noteError(thrown);
  }
}

function Figures() {
  const { step, stepsPerSecond, bytes } = learning.value;
  const figures = [
    ["Steps", step.toLocaleString("en")],
    ["Steps a second", step === 0 ? "–" : stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0)],
    ["Memory", bytes === 0 ? "–" : `${Math.round(bytes / 2 ** 20)} MB`],
  ] as const;
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Choice() {
  const { net, workSide, augment } = settings.value;
  const nets = net === "own" ? [...NETS, ["own", "From your weights file"] as const] : NETS;
  return (
    <div class="choice">
      <label class="field">
        <span>Net</span>
        <select
          value={net}
          onChange={({ currentTarget }) => {
            settings.value = { ...settings.value, net: currentTarget.value as NetChoice };
          }}
        >
          {nets.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Work size</span>
        <select
          value={workSide}
          onChange={({ currentTarget }) => {
            settings.value = { ...settings.value, workSide: Number(currentTarget.value) };
          }}
        >
          {[...new Set([...SIDES, workSide])].map((side) => (
            <option key={side} value={side}>
              {side} pixels
            </option>
          ))}
        </select>
        <small>The longer side of images as the net sees them. A change starts a new net.</small>
      </label>
      <Switch
        label="Vary the samples"
        hint="Size, turn, mirror and colours change at random, so that few strokes go further."
        checked={augment}
        onChange={(on) => {
          settings.value = { ...settings.value, augment: on };
        }}
      />
    </div>
  );
}

function Adapter() {
  const state = netState.value;
  if (state.kind === "starting") return <p class="adapter">Opening the graphics device …</p>;
  if (state.kind === "none") {
    return (
      <div class="warning" role="status">
        <strong>The net cannot run here.</strong>
        <p>{state.message}</p>
        {state.fix && <p>{state.fix}</p>}
        <p>You can paint all the same, and take away what you painted.</p>
      </div>
    );
  }
  const { description, software } = state.device;
  return (
    <p class="adapter">
      Runs on {description || "a device without a name"}
      {software && " (software: slow, but the same results)"}. Nothing leaves this machine.
    </p>
  );
}
