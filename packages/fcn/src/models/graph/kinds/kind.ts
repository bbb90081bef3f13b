import type { CroppedConvTranspose2dOptions, Device, FusedConv2dOptions, nn, Tensor, Upsampling } from "@fcn/tensor";
import { type CoordinateMap, identityMap } from "../plane/coordinateMap.js";
import type { Axis } from "../plane/window.js";
import type { Rule } from "./rules.js";

/** The fields that every variant of a layer has, and those that any of them has. */
type Common<L, F extends keyof L = keyof L> = F extends unknown ? (object extends Pick<L, F> ? never : F) : never;
type Fields<L> = L extends unknown ? keyof L : never;

/** Shapes of parameters and buffers by name. */
export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Height and width. */
type Plane = readonly [number, number];

/** How many pixels of the finer grid make one of the given, vertically and horizontally. */
export type Rate = readonly [number, number];

/** The first and last place of the input that an output place reads; they may lie in the padding. */
export type Taps = (place: number) => readonly [first: number, last: number];

export interface TapsContext {
  readonly axis: Axis;
  /** Sizes of the first input and of the output. */
  readonly from: number;
  readonly to: number;
  /** See {@link Kind.offset}. */
  readonly offset: number;
}

export interface BuildContext {
  readonly device: Device;
  /** Depends only on the net's seed and the node's name. */
  readonly seed: number;
  readonly inChannels: number;
}

/**
 * What a convolution or a batch norm does to its result as it writes it, and what a transposed convolution keeps of its
 * result. Other kinds have nothing to do.
 */
export type Fusion = Pick<FusedConv2dOptions, "norm" | "residual" | "activation"> &
  Pick<CroppedConvTranspose2dOptions, "crop">;

export interface RunContext {
  /** The first input. */
  readonly x: Tensor;
  readonly inputs: readonly Tensor[];
  /** The module that `build` made. */
  readonly module: nn.Module | undefined;
  /** See {@link Kind.offset}; [top, left]. */
  readonly offset: readonly [number, number];
  readonly fusion?: Fusion;
}

export type Fault = readonly [problem: string, fix: string];

/**
 * Everything known about layers of one kind, with L their fields. Sizes, places and taps are along one axis. No field
 * has a default; kinds share named parts instead (`unmoved`, `stateless`, `slidingWindow`).
 */
export interface Kind<L extends { readonly kind: string }> {
  readonly inputs: readonly [fewest: number, most: number];
  /** What the fields of a layer from a file must be. */
  readonly needed: { readonly [F in Exclude<Common<L>, "kind">]: Rule };
  readonly optional: { readonly [F in Exclude<Fields<L>, Common<L>>]: Rule };
  /** What is wrong with a layer whose fields are valid one by one; undefined for kinds in which nothing can be. */
  readonly fault: ((layer: L, inputChannels: readonly number[]) => Fault | undefined) | undefined;

  /** Channels of the output of a layer without a fault. */
  readonly channels: (layer: L, inputChannels: readonly number[]) => number;
  /**
   * Where the inputs after the first lie: `alongside` it, at the same places; or the second is a `reference` that gives
   * only height and width, or holds one value a channel that counts `everywhere`.
   */
  readonly others: "alongside" | "reference" | "everywhere";
  /** Size of the output given that of the first input; undefined if it equals that or the reference's. */
  readonly size: ((layer: L, axis: Axis, size: number) => number) | undefined;
  /**
   * Where the output's pixels lie on those of the first input, before any cut; `reference` if they take the reference's
   * places. `size` is the input's, which only padding "same" needs.
   */
  readonly map: (layer: L, axis: Axis, size?: number) => CoordinateMap | "reference";
  /** Where the first input is cut to the size of the reference; undefined for kinds that cut nothing. */
  readonly offset: ((layer: L, source: CoordinateMap, reference: CoordinateMap, name: string) => number) | undefined;
  /** Undefined if each place reads the same place of every input. */
  readonly taps: ((layer: L, context: TapsContext) => Taps) | undefined;
  /**
   * The layer as bilinear upsampling from one size to another; undefined for kinds that never are, and for a layer that
   * is something else, learns, or has other weights. `module` is what `build` made.
   */
  readonly upsampling:
    | ((layer: L, module: nn.Module | undefined, from: Plane, to: Plane) => Upsampling | undefined)
    | undefined;
  /** Pixels of the first input that one output pixel sees. */
  readonly width: (layer: L, axis: Axis) => number;
  /** Whether every value depends on the whole image. */
  readonly isGlobal: boolean;

  /** Whether `dilate` can remove its stride. */
  readonly isStrided: boolean;
  /** The layer for an input on a finer grid, or, if there is no such layer, what to do instead. */
  readonly dilate: (layer: L, rate: Rate) => L | string;
  /** Whether it makes class scores from features, passes scores on (moved, scaled or joined), or does neither. */
  readonly scores: "makes" | "passes" | "neither";

  readonly parameters: (layer: L, inChannels: number) => Shapes;
  /** Those of `parameters` that no optimiser changes. */
  readonly buffers: (layer: L) => readonly string[];
  /** Multiplications of the weights with an input of these pixels that becomes an output of those, for one image. */
  readonly multiplyAdds: ((layer: L, inChannels: number, pixels: { from: number; to: number }) => number) | undefined;
  /** Makes the module that holds parameters or state. */
  readonly build: ((layer: L, context: BuildContext) => nn.Module) | undefined;
  /** Converts a weight of another shape with the same values to the wanted one. */
  readonly adapt:
    | ((key: string, from: readonly number[], wanted: readonly number[]) => nn.StateAdapter | undefined)
    | undefined;
  readonly run: (layer: L, context: RunContext) => Tensor;
}

export const ONE = [1, 1] as const;
/** Number of inputs of layers that take any number. */
export const MANY = [1, 64] as const;

const sameChannels = (_: object, [first = 0]: readonly number[]): number => first;

/** For kinds that leave every value at its place in the plane. */
export const unmoved = {
  others: "alongside",
  size: undefined,
  map: () => identityMap,
  offset: undefined,
  taps: undefined,
  upsampling: undefined,
  width: () => 1,
  isGlobal: false,
  isStrided: false,
  dilate: <L>(layer: L): L => layer,
} as const;

/** For kinds that make one value of each, at its place and in its channel. */
export const oneToOne = {
  inputs: ONE,
  needed: {},
  optional: {},
  fault: undefined,
  channels: sameChannels,
  ...unmoved,
} as const;

/** For kinds whose parameters are all learned. */
export const learned = { buffers: (): readonly string[] => [] } as const;

/** For kinds without parameters or state. */
export const stateless = {
  parameters: () => ({}),
  ...learned,
  multiplyAdds: undefined,
  build: undefined,
  adapt: undefined,
} as const;

export const runModule = (_: object, { module, x }: RunContext): Tensor => (module as nn.Module).forward(x) as Tensor;

export const samePlane = (a: Tensor, b: Tensor): boolean => a.shape[2] === b.shape[2] && a.shape[3] === b.shape[3];

/** The advice of `dilate` for layers that make the grid finer. */
export const CUT_UPSAMPLING = "cut the graph in front of the upsampling: models.subgraph(graph, name)";
