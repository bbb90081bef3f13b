import type { HeldBack, LearnEvent } from "../../../studio/src/learn/learner.js";
import { StudioLearner } from "../../../studio/src/learn/studioLearner.js";
import { addClass, addStroke } from "../../../studio/src/session/commands.js";
import type { Session, Settings } from "../../../studio/src/session/types.js";
import { openStore } from "../../../studio/src/store/store.js";

const SETTINGS: Settings = { net: "fcn8s-small", workSide: 256, augment: true };

/** The learner on a page without a worker, and all that it told. */
interface Running {
  readonly learner: StudioLearner;
  readonly events: LearnEvent[];
  readonly canvas: OffscreenCanvas;
  session: Session;
}

declare global {
  var running: Running;
}

const steps = (): number[] => running.events.flatMap((event) => (event.kind === "progress" ? [event.step] : []));

/** Opens the learner on what the store holds, or on files that are put there first. */
export async function begin(session: Session, files: Readonly<Record<string, number[]>>, settings = SETTINGS) {
  const store = await openStore();
  for (const [id, bytes] of Object.entries(files)) await store.putImage(id, new Blob([Uint8Array.from(bytes)]));
  const learner = new StudioLearner(store);
  const events: LearnEvent[] = [];
  const canvas = new OffscreenCanvas(1, 1);
  globalThis.running = { learner, events, canvas, session };
  await learner.setCanvas(canvas);
  await learner.setSettings(settings);
  await learner.setSession(session);
  await learner.open({ train: true, base: location.href }, (event) => events.push(event));
  await learner.show(session.images[0]!.id, "classes");
}

/** Waits for steps, and returns the last scores on what is held back. */
export async function untilStep(step: number): Promise<HeldBack | undefined> {
  while ((steps().at(-1) ?? 0) < step) {
    const failed = running.events.find(({ kind }) => kind === "failed");
    if (failed) throw new Error(JSON.stringify(failed));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const last = running.events.filter((event) => event.kind === "progress").at(-1);
  return last?.kind === "progress" ? last.heldBack : undefined;
}

export const halt = (): Promise<void> => running.learner.train(false);

/** The colours on the canvas, once it was drawn anew. */
export async function shownColours(): Promise<{ height: number; width: number; colours: Record<string, number> }> {
  const count = (): number => running.events.filter(({ kind }) => kind === "shown").length;
  const before = count();
  await running.learner.show(running.session.images[0]!.id, "classes");
  while (count() === before) await new Promise((resolve) => setTimeout(resolve, 10));
  const { canvas } = running;
  const { height, width } = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.drawImage(canvas, 0, 0);
  const colours: Record<string, number> = {};
  const { data } = context.getImageData(0, 0, width, height);
  for (let i = 0; i < data.length; i += 4) {
    const key = data.subarray(i, i + 4).join();
    colours[key] = (colours[key] ?? 0) + 1;
  }
  return { height, width, colours };
}

const bytesOf = async (file: Blob): Promise<number[]> => [...new Uint8Array(await file.arrayBuffer())];
export const weights = async (): Promise<number[]> => bytesOf(await running.learner.weights());
export const onnx = async (): Promise<number[]> => bytesOf(await running.learner.onnx());
export const labels = async (id: string): Promise<number[]> => [
  ...(await running.learner.labels(id, { strokesOnTop: false })).labels,
];
export const load = async (bytes: number[]) => running.learner.loadWeights(new Blob([Uint8Array.from(bytes)]));

/** Adds a class with a stroke, which gives the net another score. */
export async function addPaintedClass(): Promise<void> {
  const more = addClass(running.session, "cloud");
  const shape = {
    kind: "line",
    points: [
      [30, 30],
      [60, 40],
    ],
    width: 20,
  } as const;
  const stroke = { id: "cloud-1", classId: more.classes.at(-1)!.id, shape };
  running.session = addStroke(more, more.images[0]!.id, stroke);
  await running.learner.setSession(running.session);
}

/** Compares the nets of three strides until each has made so many steps; returns the sizes of their canvases. */
export async function compare(step: number): Promise<number[][]> {
  const canvases = { 32: new OffscreenCanvas(1, 1), 16: new OffscreenCanvas(1, 1), 8: new OffscreenCanvas(1, 1) };
  await running.learner.compare(canvases);
  const reached = (stride: number): boolean =>
    running.events.some((event) => event.kind === "compared" && event.stride === stride && event.step >= step);
  while (![32, 16, 8].every(reached)) await new Promise((resolve) => setTimeout(resolve, 20));
  await running.learner.compare(null);
  return Object.values(canvases).map(({ height, width }) => [height, width]);
}

/** Takes the strokes of the last class away, and returns what is told then. */
export async function emptyLastClass(): Promise<string[]> {
  const { classes } = running.session;
  const gone = classes.at(-1)!.id;
  const images = running.session.images.map((image) => {
    return { ...image, strokes: image.strokes.filter(({ classId }) => classId !== gone) };
  });
  running.session = { classes, images };
  await running.learner.setSession(running.session);
  return running.events.flatMap((event) => (event.kind === "note" ? [event.note.message] : []));
}
