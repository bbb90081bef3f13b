import { batch, computed, signal } from "@preact/signals";
import type { DeviceReport, HeldBack, Stride, View } from "../learn/learner.js";
import { newSession } from "../session/commands.js";
import { heldBackOf } from "../session/heldBack.js";
import { History } from "../session/history.js";
import type { PaintedImage, Session, Settings } from "../session/types.js";

export type Tool = "brush" | "eraser" | "fill" | "polygon" | "pan";
export type OpenDialog = "help" | "camera" | "compare";
/** The panels, of which a narrow window shows one at a time. */
export type Panel = "paint" | "images" | "learn" | "take";

/** A question with one answer that does something. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The answer. */
  readonly verb: string;
  readonly run: () => void;
}

/** A point of the curves. */
export interface Progress {
  readonly step: number;
  readonly loss: number;
  readonly heldBack?: HeldBack | undefined;
}

/** What is known of the net as it learns. */
export interface Learning {
  readonly step: number;
  readonly stepsPerSecond: number;
  /** Bytes in use on the device. */
  readonly bytes: number;
  readonly on: boolean;
  /** What training waits for. */
  readonly why?: string | undefined;
}

/** Whether there is a net: it is on its way, there, or cannot be, with the reason and what to do. */
export type NetState =
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly device: DeviceReport }
  | { readonly kind: "none"; readonly message: string; readonly fix?: string | undefined };

let history = new History(newSession());

export const session = signal<Session>(history.present);
export const canUndo = signal(false);
export const canRedo = signal(false);
export const shownId = signal<string | null>(null);
export const settings = signal<Settings>({ net: "fcn8s-small", workSide: 512, augment: true });
/** Whether training is wanted; {@link learning} says whether steps are being made. */
export const training = signal(false);
export const learning = signal<Learning>({ step: 0, stepsPerSecond: 0, bytes: 0, on: false });
export const curves = signal<readonly Progress[]>([]);
export const netState = signal<NetState>({ kind: "starting" });
/** How the nets side by side do, by their strides. */
export const compared = signal<Readonly<Partial<Record<Stride, Progress>>>>({});
/** The image whose prediction lies on the overlay. */
export const predicted = signal<string | null>(null);

export const tool = signal<Tool>("brush");
export const classId = signal<string>(session.value.classes[1]?.id ?? "");
/** Width of brush and eraser in CSS pixels on the screen. */
export const brushSize = signal(24);
export const view = signal<View | "off">("classes");
/** Opacity of the prediction, 0 to 1. */
export const opacity = signal(0.5);
export const showStrokes = signal(true);
/** Whether the page leads the eye to where the net is unsure. */
export const leading = signal(false);
export const panel = signal<Panel>("paint");
export const dialog = signal<OpenDialog | null>(null);
/** What is asked before something is lost. */
export const question = signal<Question | null>(null);
/** The ids of the example's images begin with this. */
export const EXAMPLE = "example-";
/** Whether the images are those of the example. */
export const isExample = computed(
  () => session.value.images.length > 0 && session.value.images.every(({ id }) => id.startsWith(EXAMPLE)),
);

export const shown = computed<PaintedImage | undefined>(() =>
  session.value.images.find(({ id }) => id === shownId.value),
);
export const heldBack = computed(() => heldBackOf(session.value));
/** What the overlay shows: entropy while the eye is led. */
export const overlay = computed<View | "off">(() => (leading.value ? "entropy" : view.value));
export const classColours = computed(
  () => new Map(session.value.classes.map(({ id, colour }) => [id, `rgb(${colour.join(" ")})`])),
);
/** Strokes of each class over all images. */
export const strokeCounts = computed(() => {
  const counts = new Map<string, number>();
  for (const { strokes } of session.value.images) {
    for (const { classId } of strokes) if (classId !== null) counts.set(classId, (counts.get(classId) ?? 0) + 1);
  }
  return counts;
});

/** Makes `next` the present state; undo leads back from it. */
export function edit(next: Session): void {
  history.do(next);
  publish();
}

export function undo(): void {
  const before = history.present;
  history.undo();
  publish();
  showChanged(before, history.present);
}

export function redo(): void {
  const before = history.present;
  history.redo();
  publish();
  showChanged(before, history.present);
}

/** Shows the image that differs, so that nothing is undone out of sight. */
function showChanged(before: Session, after: Session): void {
  const old = new Set(before.images);
  const changed = after.images.filter((image) => !old.has(image));
  if (changed.length > 0 && !changed.some(({ id }) => id === shownId.value)) shownId.value = changed[0]?.id ?? null;
}

/** Takes a session from elsewhere; nothing leads back behind it. */
export function begin(first: Session, shownImage: string | null = null): void {
  history = new History(first);
  shownId.value = shownImage;
  publish();
}

function publish(): void {
  const { present } = history;
  batch(() => {
    session.value = present;
    canUndo.value = history.canUndo;
    canRedo.value = history.canRedo;
    if (!present.images.some(({ id }) => id === shownId.value)) shownId.value = present.images[0]?.id ?? null;
    if (!present.classes.some(({ id }) => id === classId.value)) {
      classId.value = (present.classes[1] ?? present.classes[0])?.id ?? "";
    }
  });
}

/** Shows the image `by` places further in the strip, around its ends. */
export function step(by: number): void {
  const { images } = session.value;
  if (images.length === 0) return;
  const at = images.findIndex(({ id }) => id === shownId.value);
  shownId.value = images[(at + by + images.length) % images.length]?.id ?? null;
}
