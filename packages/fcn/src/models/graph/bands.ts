import { concat, type nn, slice, type Tensor } from "@fcn/tensor";
import { elementsOf } from "@fcn/tensor/internal";
import type { FeatureShape } from "./geometry/shapes.js";
import { kindOf, type Layer, type LayerKind } from "./kinds/index.js";
import { type PaddedWindow, paddingAlong } from "./plane/window.js";
import type { Graph, Node } from "./spec.js";
import { runStage, type Stage } from "./stages.js";

/**
 * Stages that read each only the one before, up to a max pool. Inference can run them in bands of rows, so that of what
 * lies between them only a band is in memory.
 */
export type Chain = readonly Stage[];

const POOL: LayerKind = "maxPool";
const WINDOWS: ReadonlySet<LayerKind> = new Set(["conv", POOL]);
/** Windows, and kinds that make one value of those at the same place, in training too. */
const LOCAL: ReadonlySet<LayerKind> = new Set([...WINDOWS, "relu", "relu6", "hardswish", "lrn", "scale"]);

/** The chains of a course by the index of their first stage. */
export function chainsOf(stages: readonly Stage[], outputs: Graph["outputs"]): ReadonlyMap<number, Chain> {
  const heads = new Set(Object.values(outputs));
  const isReadOnce = (name: string): boolean =>
    !heads.has(name) && stages.filter(({ inputs }) => inputs.includes(name)).length === 1;
  const chains = new Map<number, Chain>();
  let begin = 0;
  for (const [index, { head, inputs }] of stages.entries()) {
    const before = stages[index - 1]?.name;
    if (!LOCAL.has(head.layer.kind) || inputs.length !== 1) {
      begin = index + 1;
      continue;
    }
    if (before === undefined || inputs[0] !== before || !isReadOnce(before)) begin = index;
    if (head.layer.kind !== POOL) continue;
    if (begin < index) chains.set(begin, stages.slice(begin, index + 1));
    begin = index + 1;
  }
  return chains;
}

/** Rows [begin, end). */
type Rows = readonly [begin: number, end: number];

/** What a stage does for a band: which rows of its input it reads, and what padding is above and below them. */
interface BandStage {
  readonly rows: Rows;
  readonly padding: readonly [above: number, below: number];
}

/** A band of the result by stage. */
export type Band = readonly BandStage[];

/** Bytes of the maps between the stages of a chain. */
interface Limits {
  /** A chain of which no map is larger runs whole. */
  readonly whole: number;
  /** The largest map of a band, if bands have that many rows. */
  readonly band: number;
}

const MIB = 2 ** 20;
/**
 * Bands of 32 MiB leave the peak of a VGG to the layers after its first pool. Those of a few rows would compute many of
 * their neighbours' rows again.
 */
const LIMITS: Limits = { whole: 64 * MIB, band: 32 * MIB };
/** Bands begin at multiples of this many rows of the result: before a pool, tiles of minimal filtering begin there. */
const UNIT = 4;

/**
 * The bands in which a chain is to run, or undefined if it is to run whole. `valueBytes` is what a value of one channel
 * takes in memory for all images together. A convolution of a band reads the values that it reads in the whole image,
 * so that results differ at most by roundings: where its kernel depends on its size or on where it begins.
 */
export function bandsOf(
  chain: Chain,
  shapes: ReadonlyMap<string, FeatureShape>,
  valueBytes: number,
  limits = LIMITS,
): readonly Band[] | undefined {
  const bytes = chain.map(({ name }) => elementsOf(shapeIn(shapes, name)) * valueBytes);
  const largest = Math.max(...bytes.slice(0, -1));
  const [result = 0] = bytes.slice(-1);
  // The bands of the result and what they are joined to take twice its memory.
  if (largest <= limits.whole || 2 * result > largest) return undefined;
  const sizes = chain.map(({ head }) => shapeIn(shapes, head.inputs[0])[1]);
  const [, height] = shapeIn(shapes, chain.at(-1)?.name);
  for (let count = Math.ceil(largest / limits.band); count > 1; count--) {
    const bands = spansOf(height, Math.ceil(height / count / UNIT) * UNIT).map((rows) => bandOf(chain, sizes, rows));
    // With wide padding, rows of a convolution may come from zeros alone: they share a band with others.
    const isFilled = bands.flat().every(({ rows: [begin, end] }) => begin < end);
    if (isFilled && bands.length > 1) return bands;
  }
  return undefined;
}

const shapeIn = (shapes: ReadonlyMap<string, FeatureShape>, name = ""): FeatureShape =>
  shapes.get(name) as FeatureShape;

const spansOf = (height: number, rows: number): Rows[] =>
  Array.from({ length: Math.ceil(height / rows) }, (_, i) => [i * rows, Math.min((i + 1) * rows, height)]);

/** What the stages of a chain, whose inputs have `sizes` rows, do for these rows of the result. */
function bandOf(chain: Chain, sizes: readonly number[], wanted: Rows): Band {
  let [begin, end] = wanted;
  const band = chain.map((_, fromEnd): BandStage => {
    const index = chain.length - 1 - fromEnd;
    const { layer } = (chain[index] as Stage).head;
    const from = sizes[index] as number;
    const taps = kindOf(layer).taps?.(layer, { axis: 0, from, to: 0, offset: 0 });
    const [first, last] = taps ? [taps(begin)[0], taps(end - 1)[1] + 1] : [begin, end];
    // The last window of a pool in ceil mode may end below the padding.
    const [, after] = isWindow(layer) ? paddingAlong(layer, 0, from) : [0, 0];
    const padding = [Math.max(0, -first), Math.min(after, Math.max(0, last - from))] as const;
    [begin, end] = [Math.max(0, first), Math.min(last, from)];
    return { rows: [begin, end], padding };
  });
  return band.reverse();
}

const isWindow = (layer: Layer): layer is Layer & PaddedWindow => WINDOWS.has(layer.kind);

/** Runs a chain on x band by band, and joins what the bands give. */
export function runInBands(
  chain: Chain,
  bands: readonly Band[],
  x: Tensor,
  moduleOf: (node: Node) => nn.Module | undefined,
): Tensor {
  const parts = bands.map((band) => {
    const [first] = band as [BandStage, ...BandStage[]];
    return chain.reduce(
      (value, stage, index) => {
        const { layer } = stage.head;
        const { padding } = band[index] as BandStage;
        const [, , , width] = value.shape;
        const own = isWindow(layer) ? { ...layer, padding: [padding, paddingAlong(layer, 1, width)] as const } : layer;
        const head = { ...stage.head, layer: own as Layer };
        const result = runStage({ ...stage, head }, [value], (node) => ({ module: moduleOf(node), offset: [0, 0] }));
        value.dispose();
        return result;
      },
      slice(x, [null, null, [...first.rows]]),
    );
  });
  const whole = concat(parts, { dim: 2 });
  for (const part of parts) part.dispose();
  return whole;
}
