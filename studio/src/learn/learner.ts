import type { Session, Settings } from "../session/types.js";

/** What is drawn over an image: regions in colours, their borders alone, or how unsure the net is. */
export type View = "classes" | "outline" | "entropy";

/** The adapter that nets run on. */
export interface DeviceReport {
  readonly description: string;
  readonly software: boolean;
}

/** How well a net does on the strokes that are held back. */
export interface HeldBack {
  /** Share of their pixels that get their class, 0 to 1. */
  readonly accuracy: number;
  /** Mean over the classes of intersection over union on their pixels, 0 to 1. */
  readonly meanIU: number;
  readonly pixels: number;
}

/** A mistake or an event, in one sentence for the person, and what can be done. */
export interface Note {
  readonly code: string;
  readonly message: string;
  readonly fix?: string | undefined;
}

/** The nets of the comparison, by the stride of their scores. */
export type Stride = 32 | 16 | 8;

/** What the worker tells the page. */
export type LearnEvent =
  /** Some steps are made. */
  | {
      readonly kind: "progress";
      readonly step: number;
      readonly loss: number;
      readonly stepsPerSecond: number;
      /** Absent where no stroke is held back. */
      readonly heldBack?: HeldBack | undefined;
      /** Bytes in use on the device. */
      readonly bytes: number;
    }
  /** One of the nets side by side has made some steps. */
  | {
      readonly kind: "compared";
      readonly stride: Stride;
      readonly step: number;
      readonly loss: number;
      readonly heldBack?: HeldBack | undefined;
    }
  /** The overlay shows a new prediction. */
  | { readonly kind: "shown"; readonly imageId: string }
  /** The net and its optimiser are in the store. */
  | { readonly kind: "saved"; readonly step: number }
  /** Whether steps are being made, and what training waits for: "no-strokes", "loading", "paused". */
  | { readonly kind: "training"; readonly on: boolean; readonly why?: string }
  | { readonly kind: "device"; readonly report: DeviceReport }
  /** The device was lost; the net went on at `step` on another one. */
  | { readonly kind: "recovered"; readonly step: number }
  | { readonly kind: "note"; readonly note: Note }
  /** Nothing goes on without the person doing something. */
  | { readonly kind: "failed"; readonly note: Note };

/** What a weights file says of its net. */
export interface FileNet {
  readonly model: string;
  readonly classes: readonly string[];
  readonly palette: readonly (readonly [number, number, number])[];
}

/** How masks are taken out of the studio. */
export interface MaskOptions {
  /** Whether what is painted covers what is predicted. */
  readonly strokesOnTop: boolean;
}

/** The class of each pixel of an image at its full size. */
export interface FullLabels {
  readonly labels: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The net and its training, in a worker of its own. Every function rejects with an Error whose message is for the
 * person; `code` and `fix` are on it where the library threw it.
 */
export interface Learner {
  /**
   * Opens a device. Once session and settings are there too, loads the net from the store or begins one, and trains it
   * if `train`. `base` is the address below which the files of the page lie; `openLearner` knows it.
   */
  open(
    options: { readonly train: boolean; readonly base?: string },
    tell: (event: LearnEvent) => void,
  ): Promise<DeviceReport>;
  /** The newest state; new strokes join the next batch. Files of new images lie in the store. */
  setSession(session: Session): Promise<void>;
  /** A change of net or size starts a net anew. */
  setSettings(settings: Settings): Promise<void>;
  train(on: boolean): Promise<void>;
  /** Predicts an image on `canvas` now and after each few steps; null stops. The canvas gets the size of the work. */
  show(imageId: string | null, view: View): Promise<void>;
  /** The canvas of the overlay; it can be given once. */
  setCanvas(canvas: OffscreenCanvas): Promise<void>;
  /** Trains FCN-32s, 16s and 8s side by side from the present backbone on three canvases; null ends it. */
  compare(canvases: Readonly<Record<Stride, OffscreenCanvas>> | null): Promise<void>;
  /** Begins again with a net that has learned nothing. */
  reset(): Promise<void>;
  /** Takes a weights file (`.safetensors` of this project) as the net. Returns its classes. */
  loadWeights(file: Blob): Promise<FileNet>;
  /** Writes net and optimiser to the store now. */
  save(): Promise<void>;
  /** A file that `fcn predict --weights` takes. */
  weights(): Promise<Blob>;
  onnx(): Promise<Blob>;
  /** The prediction for an image at its full size. */
  labels(imageId: string, options: MaskOptions): Promise<FullLabels>;
}
