/**
 * A network as plain data. One graph drives the forward pass, the parameter names, the sizes and the crop offsets, so that
 * none of these can disagree.
 */

/** One number for both axes, or [vertical, horizontal]. */
export type Extent = number | readonly [number, number];

/** Axis 0 is vertical (height), axis 1 horizontal (width). */
export type Axis = 0 | 1;

/** The sliding window of a convolution or pooling layer. */
export interface Window {
  readonly kernelSize: Extent;
  readonly stride?: Extent;
  readonly padding?: Extent;
  readonly dilation?: Extent;
}

/**
 * Initial values of a weight. `default` is PyTorch's (uniform, kaiming with a = sqrt 5); `kaiming` is He's normal over the fan-out, as in
 * torchvision's VGG and ResNet, with a zero bias; `zeros` clears weight and bias; `xavier` is Glorot's uniform.
 */
export type ConvInit = "default" | "kaiming" | "zeros" | "xavier";

export type Layer =
  | { readonly kind: "input"; readonly channels: number }
  | (Window & {
      readonly kind: "conv";
      readonly outChannels: number;
      readonly groups?: number;
      readonly bias?: boolean;
      readonly init?: ConvInit;
    })
  | (Window & {
      /** Bilinear at the start. With `groups` = channels it upsamples each channel by itself. */
      readonly kind: "convTranspose";
      readonly outChannels: number;
      readonly groups?: number;
      readonly bias?: boolean;
      /** A layer that is not learned keeps its kernel and stays out of `parameters()`. */
      readonly learned?: boolean;
    })
  | (Window & { readonly kind: "maxPool"; readonly ceilMode?: boolean })
  | { readonly kind: "batchNorm"; readonly eps?: number; readonly momentum?: number }
  | { readonly kind: "relu" }
  | { readonly kind: "dropout"; readonly p: number }
  | { readonly kind: "scale"; readonly factor: number }
  | { readonly kind: "add" }
  /** Cuts the first input to the height and width of the second, at the offset that lines up their pixels. */
  | {
      readonly kind: "crop";
      /** `topLeft` cuts at 0 whatever the coordinates say, for nets that were published misaligned. */
      readonly align?: "coordinates" | "topLeft";
    };

export type LayerKind = Layer["kind"];
export type LayerOf<K extends LayerKind> = Extract<Layer, { kind: K }>;

export interface Node {
  /** Unique; also the prefix of the parameters' names (`conv1_1` gives `conv1_1.weight`). Dots nest. */
  readonly name: string;
  readonly layer: Layer;
  /** Names of earlier nodes. */
  readonly inputs: readonly string[];
}

export interface Graph {
  readonly name: string;
  /** In an order in which every node comes after its inputs. */
  readonly nodes: readonly Node[];
  /** Name of a head -> name of the node that carries it. One head called `out` makes `forward` answer a single tensor. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** The component of an extent along an axis. */
export function along(extent: Extent | undefined, axis: Axis, otherwise: number): number {
  if (extent === undefined) return otherwise;
  return typeof extent === "number" ? extent : extent[axis];
}

/** A window with every default written out, along one axis. */
export function windowAlong(
  w: Window,
  axis: Axis,
): { kernel: number; stride: number; padding: number; dilation: number } {
  return {
    kernel: along(w.kernelSize, axis, 1),
    stride: along(w.stride, axis, 1),
    padding: along(w.padding, axis, 0),
    dilation: along(w.dilation, axis, 1),
  };
}
