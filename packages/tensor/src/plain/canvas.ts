/** What a canvas of the page or of a worker offers, HTMLCanvasElement or OffscreenCanvas. */
export interface CanvasLike {
  width: number;
  height: number;
  getContext(kind: string): unknown;
}
