import { signal } from "@preact/signals";
import { isWithin, TAKES_KEYS } from "../../app/keyboard.js";
import { shown, tool } from "../../app/state.js";
import type { Point } from "../../session/types.js";
import { addCorner, closePolygon, draft, fillAt, Gesture } from "./painting.js";
import type { PaintLayer } from "./paintLayer.js";
import { fit, moveBy, viewport, zoomBy } from "./place.js";
import { toImage } from "./viewport.js";

/** Where a mouse or a pen is over the stage, in CSS pixels. */
export const hover = signal<Point | null>(null);
/** Whether Space is held, so that the image is moved. */
export const holdsSpace = signal(false);

/** Zoom by a pixel of the wheel; what is left of a pinch on a touchpad comes as a wheel with Ctrl, in smaller steps. */
const WHEEL = 0.0016;
const PINCH = 0.01;
/** The button of a pen's other end. */
const PEN_ERASER = 5;

type Doing =
  | { readonly kind: "paint"; readonly pointer: number; readonly gesture: Gesture }
  | { readonly kind: "move"; readonly pointer: number; last: Point }
  | { readonly kind: "pinch"; last: Pinch }
  | { readonly kind: "nothing" };

interface Pinch {
  readonly middle: Point;
  readonly distance: number;
}

/** Turns pointers and the wheel over `surface` into painting, moving and zooming. Returns what ends that. */
export function listenTo(surface: HTMLElement, layer: PaintLayer): () => void {
  const pointers = new Map<number, Point>();
  let doing: Doing = { kind: "nothing" };

  const place = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = surface.getBoundingClientRect();
    return [clientX - left, clientY - top];
  };
  const inImage = (event: MouseEvent): Point => toImage(viewport.value, place(event));

  function down(event: PointerEvent): void {
    const image = shown.value;
    if (image === undefined || (event.pointerType === "mouse" && event.button > 1)) return;
    surface.focus({ preventScroll: true });
    surface.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 2) {
      if (doing.kind === "paint") doing.gesture.cancel();
      doing = { kind: "pinch", last: pinchOf(pointers) };
      return;
    }
    if (pointers.size > 2) return;
    if (event.button === 1 || holdsSpace.value || tool.value === "pan") {
      event.preventDefault();
      doing = { kind: "move", pointer: event.pointerId, last: place(event) };
    } else if (tool.value === "brush" || tool.value === "eraser") {
      const gesture = new Gesture(layer, image, tool.value === "eraser" || event.button === PEN_ERASER);
      gesture.add(inImage(event));
      gesture.draw();
      doing = { kind: "paint", pointer: event.pointerId, gesture };
    }
  }

  function move(event: PointerEvent): void {
    hover.value = event.pointerType === "touch" ? null : place(event);
    if (pointers.has(event.pointerId)) pointers.set(event.pointerId, place(event));
    if (doing.kind === "pinch" && pointers.size === 2) {
      const next = pinchOf(pointers);
      const { middle, distance } = doing.last;
      moveBy([next.middle[0] - middle[0], next.middle[1] - middle[1]]);
      zoomBy(next.distance / distance, next.middle);
      doing.last = next;
    } else if (doing.kind === "move" && doing.pointer === event.pointerId) {
      const [x, y] = place(event);
      moveBy([x - doing.last[0], y - doing.last[1]]);
      doing.last = [x, y];
    } else if (doing.kind === "paint" && doing.pointer === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const one of events.length > 0 ? events : [event]) doing.gesture.add(inImage(one));
      doing.gesture.draw();
    }
  }

  function up(event: PointerEvent): void {
    const wasAlone = pointers.size === 1 && pointers.delete(event.pointerId);
    pointers.delete(event.pointerId);
    if (doing.kind === "paint" && doing.pointer === event.pointerId) {
      doing.gesture.end();
      doing = { kind: "nothing" };
    } else if (doing.kind === "nothing" && wasAlone && event.button === 0) {
      if (tool.value === "fill") void fillAt(inImage(event));
      if (tool.value === "polygon") addCorner(inImage(event));
    }
    if (pointers.size === 0) doing = { kind: "nothing" };
  }

  function cancel(event: PointerEvent): void {
    pointers.delete(event.pointerId);
    if (doing.kind === "paint" && doing.pointer === event.pointerId) doing.gesture.cancel();
    if (pointers.size === 0) doing = { kind: "nothing" };
  }

  const wheel = (event: WheelEvent): void => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    zoomBy(Math.exp(-event.deltaY * lines * (event.ctrlKey ? PINCH : WHEEL)), place(event));
  };
  const leave = (): void => {
    hover.value = null;
  };

  const listeners = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: cancel, pointerleave: leave };
  for (const [type, listener] of Object.entries(listeners)) surface.addEventListener(type, listener as EventListener);
  surface.addEventListener("wheel", wheel, { passive: false });
  surface.addEventListener("dblclick", closePolygon);
  window.addEventListener("keydown", keyDown);
  window.addEventListener("keyup", keyUp);
  return () => {
    for (const [type, listener] of Object.entries(listeners)) {
      surface.removeEventListener(type, listener as EventListener);
    }
    surface.removeEventListener("wheel", wheel);
    surface.removeEventListener("dblclick", closePolygon);
    window.removeEventListener("keydown", keyDown);
    window.removeEventListener("keyup", keyUp);
  };
}

function pinchOf(pointers: ReadonlyMap<number, Point>): Pinch {
  const [a, b] = [...pointers.values()] as [Point, Point];
  return {
    middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2],
    distance: Math.max(1, Math.hypot(a[0] - b[0], a[1] - b[1])),
  };
}

const KEYS: Readonly<Record<string, () => void>> = {
  "+": () => zoomBy(1.25),
  "=": () => zoomBy(1.25),
  "-": () => zoomBy(0.8),
  "0": fit,
  h: () => {
    tool.value = "pan";
  },
};

function keyDown(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || isWithin(event, TAKES_KEYS)) return;
  const polygonKey = { enter: closePolygon, escape: giveUp, backspace: takeBack }[event.key.toLowerCase()];
  if (draft.value.length > 0 && polygonKey !== undefined) {
    event.preventDefault();
    polygonKey();
    return;
  }
  if (event.key === " " && !isWithin(event, "button, input")) {
    event.preventDefault();
    holdsSpace.value = true;
    return;
  }
  KEYS[event.key.toLowerCase()]?.();
}

function keyUp({ key }: KeyboardEvent): void {
  if (key === " ") holdsSpace.value = false;
}

function giveUp(): void {
  draft.value = [];
}

function takeBack(): void {
  draft.value = draft.value.slice(0, -1);
}
