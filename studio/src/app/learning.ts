import { batch, effect } from "@preact/signals";
import type { LearnEvent, Stride } from "../learn/learner.js";
import type { OpenLearner } from "../learn/openLearner.js";
import { extended } from "./curves.js";
import { newestOnly } from "./newestOnly.js";
import { note, noteError } from "./notes.js";
import {
  compared,
  curves,
  leading,
  learning,
  netState,
  overlay,
  predicted,
  session,
  settings,
  shownId,
  training,
} from "./state.js";

let opened: OpenLearner | undefined;
let giveCanvas: (canvas: HTMLCanvasElement) => void = () => undefined;
const canvas = new Promise<HTMLCanvasElement>((resolve) => {
  giveCanvas = resolve;
});

/** The canvas that the net draws on; it is given once, when the stage is there. */
export function setOverlay(element: HTMLCanvasElement): void {
  giveCanvas(element);
}

/** The net in its worker. Throws where there is none yet, or none at all. */
export function learner(): OpenLearner {
  const state = netState.value;
  if (opened !== undefined && state.kind === "ready") return opened;
  throw state.kind === "none"
    ? Object.assign(new Error(state.message), { fix: state.fix })
    : new Error("the net is not ready yet; try again in a moment");
}

/** The longer side of images in pixels that a processor which stands in for a GPU can learn from while one looks. */
const SOFTWARE_SIDE = 256;

/**
 * Opens the worker and keeps it told of what changes. Returns once it is ready, or cannot be.
 *
 * @param isFirstVisit whether nobody has chosen a size for the work yet
 */
export async function startLearning(isFirstVisit: boolean): Promise<void> {
  try {
    const { openLearner } = await import("../learn/openLearner.js");
    const to = openLearner();
    opened = to;
    await to.setCanvas((await canvas).transferControlToOffscreen());
    const device = await to.open({ train: training.value }, listen);
    if (isFirstVisit && device.software) settings.value = { ...settings.value, workSide: SOFTWARE_SIDE };
    await Promise.all([to.setSettings(settings.value), to.setSession(session.value)]);
    netState.value = { kind: "ready", device };
    keepTold(to);
  } catch (thrown) {
    fail(thrown as { message: string; fix?: string });
  }
}

/** Ends the worker: another tab has the session. */
export function endLearning(): void {
  opened?.end();
  opened = undefined;
  netState.value = { kind: "starting" };
}

function keepTold(to: OpenLearner): void {
  const sendSession = newestOnly(to.setSession, noteError);
  const sendSettings = newestOnly(to.setSettings, noteError);
  const sendTraining = newestOnly(to.train, noteError);
  const sendShown = newestOnly(
    ([id, view]: [string | null, "classes" | "outline" | "entropy"]) => to.show(id, view),
    noteError,
  );
  effect(() => void sendSession(session.value));
  effect(() => void sendSettings(settings.value));
  effect(() => void sendTraining(training.value));
  effect(() => {
    const what = overlay.value;
    void sendShown(what === "off" ? [null, "classes"] : [shownId.value, what]);
  });
}

function listen(event: LearnEvent): void {
  switch (event.kind) {
    case "progress":
      batch(() => {
        const { step, stepsPerSecond, bytes } = event;
        learning.value = { ...learning.value, step, stepsPerSecond, bytes };
        curves.value = extended(curves.value, event);
      });
      break;
    case "shown":
      predicted.value = event.imageId;
      break;
    case "training":
      learning.value = { ...learning.value, on: event.on, why: event.why };
      break;
    case "device":
      netState.value = { kind: "ready", device: event.report };
      break;
    case "recovered":
      note("info", `The graphics device was lost; training goes on at step ${event.step} on a new one.`);
      break;
    case "note":
      note("error", event.note.message, event.note.fix);
      break;
    case "failed":
      // The net is still there: a smaller size, or training turned on again, may go on with it.
      training.value = false;
      note("error", event.note.message, event.note.fix);
      break;
    case "compared":
      compared.value = { ...compared.value, [event.stride]: event };
      break;
    case "saved":
      break;
  }
}

function fail({ message, fix }: { readonly message: string; readonly fix?: string | undefined }): void {
  batch(() => {
    netState.value = { kind: "none", message, fix };
    learning.value = { ...learning.value, on: false };
    leading.value = false;
    predicted.value = null;
  });
  note("error", message, fix);
}

/** Begins again with a net that has learned nothing. */
export async function resetNet(): Promise<void> {
  await learner().reset();
  forget();
}

/** Forgets what was known of a net that is no more. */
export function forget(): void {
  batch(() => {
    curves.value = [];
    learning.value = { ...learning.value, step: 0, stepsPerSecond: 0 };
  });
}

/** Trains three nets on three canvases, side by side. */
export async function compareOn(canvases: Readonly<Record<Stride, HTMLCanvasElement>>): Promise<void> {
  compared.value = {};
  await learner().compare({
    32: canvases[32].transferControlToOffscreen(),
    16: canvases[16].transferControlToOffscreen(),
    8: canvases[8].transferControlToOffscreen(),
  });
}
