import { computed, effect, signal } from "@preact/signals";
import { shown } from "../../app/state.js";
import type { Point } from "../../session/types.js";
import { fitted, moved, type Size, type Viewport, zoomed } from "./viewport.js";

/** The height of what lies over the lower edge of the stage, in CSS pixels. */
const BELOW = 44;

/** In CSS pixels. */
export const stageSize = signal<Size>({ height: 1, width: 1 });
/** Where the person zoomed or moved to; undefined while the whole image is shown. */
const chosen = signal<Viewport | undefined>(undefined);

export const viewport = computed<Viewport>(() => {
  const image = shown.value;
  if (image === undefined) return { scale: 1, x: 0, y: 0 };
  const { height, width } = stageSize.value;
  return chosen.value ?? fitted(image, { height: Math.max(1, height - BELOW), width });
});

const imageId = computed(() => shown.value?.id);
effect(() => {
  if (imageId.value !== undefined) chosen.value = undefined;
});

export function fit(): void {
  chosen.value = undefined;
}

/** Zooms around a point of the stage, by default its middle. */
export function zoomBy(factor: number, at?: Point): void {
  const image = shown.value;
  const { height, width } = stageSize.value;
  if (image !== undefined) {
    chosen.value = zoomed(viewport.value, factor, at ?? [width / 2, height / 2], image, stageSize.value);
  }
}

export function moveBy(by: Point): void {
  const image = shown.value;
  if (image !== undefined) chosen.value = moved(viewport.value, by, image, stageSize.value);
}
