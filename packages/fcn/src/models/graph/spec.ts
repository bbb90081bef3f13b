import { TensorError } from "@fcn/tensor";

/**
 * A network as plain data. One graph drives the forward pass, the parameter names, the sizes and the crop offsets, so that
 * none of these can disagree.
 */

/** One number for both axes, or [vertical, horizontal]. */
export type Extent = number | readonly [number, number];

/** Axis 0 is vertical (height), axis 1 horizontal (width). */
export type Axis = 0 | 1;

/** The sliding window of a layer. */
export interface Window {
  readonly kernelSize: Extent;
  readonly stride?: Extent;
  readonly padding?: Extent;
  readonly dilation?: Extent;
}

/**
 * An extent, [[top, bottom], [left, right]], or TensorFlow's "same": as much as makes the output ceil(size / stride), the odd one
 * behind. The last depends on the size of the input, and so do the places of the pixels behind it.
 */
export type Padding = Extent | readonly [readonly [number, number], readonly [number, number]] | "same";

/** The sliding window of a convolution or pooling layer. */
export type PaddedWindow = Omit<Window, "padding"> & { readonly padding?: Padding };

/**
 * Initial values of a weight. `default` is PyTorch's (uniform, kaiming with a = sqrt 5); `kaiming` is He's normal over the fan-out, as in
 * torchvision's VGG and ResNet, with a zero bias; `zeros` clears weight and bias; `xavier` is Glorot's uniform; `lecun` is uniform with the
 * variance 1 / fan-in (kaiming with a = 1), with a zero bias, as in torchvision's feature pyramid; `{ deviation }` is a normal distribution.
 */
export type ConvInit = "default" | "kaiming" | "zeros" | "xavier" | "lecun" | { readonly deviation: number };

export type Layer =
  | { readonly kind: "input"; readonly channels: number }
  | (PaddedWindow & {
      readonly kind: "conv";
      readonly outChannels: number;
      readonly groups?: number;
      readonly bias?: boolean;
      readonly init?: ConvInit;
    })
  | (Window & {
      /** With `groups` = channels it upsamples each channel by itself. */
      readonly kind: "convTranspose";
      readonly outChannels: number;
      readonly groups?: number;
      readonly bias?: boolean;
      /** A layer that is not learned keeps its kernel and stays out of `parameters()`. */
      readonly learned?: boolean;
      /** `bilinear` unless given; `default` is PyTorch's, for any number of channels, and always learned. */
      readonly init?: "bilinear" | "default";
    })
  | (PaddedWindow & { readonly kind: "maxPool"; readonly ceilMode?: boolean })
  /** The padding is counted in the mean unless `countIncludePad` is false, as in PyTorch. */
  | (PaddedWindow & { readonly kind: "avgPool"; readonly ceilMode?: boolean; readonly countIncludePad?: boolean })
  | { readonly kind: "batchNorm"; readonly eps?: number; readonly momentum?: number }
  | { readonly kind: "groupNorm"; readonly groups: number; readonly eps?: number }
  /** Caffe's LRN across channels: x / (k + alpha / size * sum of `size` squares)^beta. */
  | { readonly kind: "lrn"; readonly size: number; readonly alpha: number; readonly beta: number; readonly k?: number }
  | { readonly kind: "relu" }
  | { readonly kind: "relu6" }
  /** Drops single values, or whole channels. */
  | { readonly kind: "dropout"; readonly p: number; readonly channelwise?: boolean }
  | { readonly kind: "scale"; readonly factor: number }
  /** Element-wise sum of its inputs. */
  | { readonly kind: "add" }
  /** Element-wise maximum of its inputs. */
  | { readonly kind: "max" }
  /** Its inputs one after the other along the channels. */
  | { readonly kind: "concat" }
  /** Channels start to end - 1. */
  | { readonly kind: "slice"; readonly start: number; readonly end: number }
  /** Zeros around the image. */
  | { readonly kind: "pad"; readonly padding: Exclude<Padding, "same"> }
  /**
   * Resamples to the height and width of the second input, whose place in the image the result takes as its own: what a resize moves against it
   * is not accounted for, as in the nets that are built so. Without a second input it grows by the whole number `scaleFactor`, about the
   * pixels' centres.
   */
  | { readonly kind: "resize"; readonly mode: "nearest" | "bilinear"; readonly alignCorners?: boolean }
  | { readonly kind: "resize"; readonly mode: "nearest" | "bilinear"; readonly scaleFactor: number }
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
  /** Heads that learn from a further label map of the samples (`SegmentationSample.more`), by the map's name; others learn from `labels`. */
  readonly headLabels?: Readonly<Record<string, string>>;
  /** Names that other versions of a port have for a node: name there -> node. Their state dicts load too. */
  readonly aliases?: Readonly<Record<string, string>>;
}

/** The node that carries the main head: `out`, or the first head of a net without one (`sem` of the nets for SIFT Flow). */
export function mainHead({ outputs }: Graph): string {
  return outputs.out ?? Object.values(outputs)[0] ?? "";
}

/** Channels of the pictures that a graph takes. */
export function inputChannels({ nodes }: Graph): number {
  for (const { layer } of nodes) if (layer.kind === "input") return layer.channels;
  return 0;
}

/** The component of an extent along an axis. */
export function along(extent: Extent | undefined, axis: Axis, otherwise: number): number {
  if (extent === undefined) return otherwise;
  return typeof extent === "number" ? extent : extent[axis];
}

/** A window with every default written out, along one axis. */
export function windowAlong(w: PaddedWindow, axis: Axis): { kernel: number; stride: number; dilation: number } {
  return {
    kernel: along(w.kernelSize, axis, 1),
    stride: along(w.stride, axis, 1),
    dilation: along(w.dilation, axis, 1),
  };
}

/** Whether a layer's padding follows from the size of its input. */
export const padsSame = (layer: Layer): boolean => "padding" in layer && layer.padding === "same";

/** Zeros before and behind an input of `size` along one axis. Only "same" needs the size, and throws without it. */
export function paddingAlong(layer: Layer & Partial<PaddedWindow>, axis: Axis, size?: number): [number, number] {
  const { padding = 0, kernelSize = 1 } = layer;
  if (padding === "same") return samePadding({ ...layer, kernelSize }, axis, size);
  const side = typeof padding === "number" ? padding : padding[axis];
  return typeof side === "number" ? [side, side] : [side[0], side[1]];
}

function samePadding(w: PaddedWindow, axis: Axis, size: number | undefined): [number, number] {
  if (size === undefined) {
    throw new TensorError({
      code: "invalid-argument",
      message:
        'graph: with padding "same" the places of the pixels depend on the size of the image, which was not given',
      fix: "pass the size of the image along the axis",
    });
  }
  const { kernel, stride, dilation } = windowAlong(w, axis);
  const covered = (Math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1) + 1;
  const total = Math.max(covered - size, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
