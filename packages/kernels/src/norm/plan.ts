import { boundPart, fits, type Range, rowRanges } from "../bindingParts.js";
import { type Activation, activationNumber } from "../epilogue/activation.js";
import type { Kernel, Params } from "../kernel.js";
import {
  type Binding,
  type Capabilities,
  ceilDiv,
  foldGrid,
  type Plan,
  type Step,
  UNREAD,
  unwritten,
} from "../plan.js";
import { scalarOrVector } from "../scalarOrVector.js";
import {
  normApply as APPLY,
  normBackwardApply as BACKWARD_APPLY,
  normBackwardMerge as BACKWARD_MERGE,
  normBackwardSums as BACKWARD_SUMS,
  normFrozen as FROZEN,
  normMerge as MERGE,
  normMoments as MOMENTS,
} from "../wgsl.generated.js";

const WG = 64;
/** Rows that one thread of an elementwise pass takes. */
const ROWS = 16;
/** A slice of a reduction has at least this many rows. */
const MIN_ROWS = 16;
/** The most rows of a slice where not all of x can be bound at once. */
const MAX_CUT_ROWS = 128;
/** The most slices times channels that one thread merges, unless an image would get fewer than `MIN_SLICES`. */
const MAX_MERGED = 512;
const MIN_SLICES = 64;

/**
 * Normalisation of [images, rows, channels] elements, channels last: rows are the pixels of an image. Each group of
 * neighbouring channels of each image has its own statistics. Batch normalisation is that of one image, whose rows are
 * the pixels of all images, with a group for each channel.
 */
export interface NormGeometry {
  readonly images: number;
  readonly rows: number;
  readonly channels: number;
  /** Divides the channels. */
  readonly groups: number;
  readonly hasWeight: boolean;
  /** Whether the statistics are the running ones, not those of x. Needs one image and a group for each channel. */
  readonly frozen: boolean;
  /** Applied to the result, after the residual. */
  readonly activation?: Activation | undefined;
}

/** Channels of a group. */
const widthOf = (g: NormGeometry): number => g.channels / g.groups;
const statisticsOf = (g: NormGeometry): number => g.images * g.groups;
/** Elements of x. */
const sizeOf = (g: NormGeometry): number => g.images * g.rows * g.channels;
const lanesOf = (g: NormGeometry): number => (g.channels % 4 === 0 ? 4 : 1);
const over = (count: number) => foldGrid(ceilDiv(count, WG));

interface Slices {
  readonly slices: number;
  readonly rowsPerSlice: number;
}

/** Enough slices of an image to keep the device busy, none of them empty. */
function slicesOf(g: NormGeometry, caps: Capabilities): Slices {
  const threads = g.images * (g.channels / lanesOf(g));
  const most = Math.max(MIN_SLICES, Math.floor(MAX_MERGED / widthOf(g)));
  const wanted = Math.min(ceilDiv(caps.parallelism * WG, threads), ceilDiv(g.rows, MIN_ROWS), most);
  const whole = Math.max(1, ceilDiv(g.rows, Math.max(1, wanted)));
  const rowsPerSlice = fits(sizeOf(g), caps) ? whole : Math.min(whole, MAX_CUT_ROWS);
  return { rowsPerSlice, slices: ceilDiv(g.rows, rowsPerSlice) };
}

/** Slices or blocks of rows that are worked on together, and the elements of x, y, dy or dx that they hold. */
interface UnitRange {
  readonly unit: number;
  readonly units: number;
  readonly elements: Range;
}

/** The units of `per` rows of all images, in ranges that fit a binding; none when a unit does not. */
function unitRanges(g: NormGeometry, per: number, caps: Capabilities): UnitRange[] {
  const { images, rows, channels } = g;
  const perImage = ceilDiv(rows, per);
  if (fits(sizeOf(g), caps)) return [{ unit: 0, units: images * perImage, elements: { begin: 0, end: sizeOf(g) } }];
  const rowOf = (unit: number): number => Math.floor(unit / perImage) * rows + (unit % perImage) * per;
  return rowRanges(images * perImage, per * channels, caps).map(({ begin, end }) => {
    const last = Math.min(rowOf(end - 1) + per, (Math.floor((end - 1) / perImage) + 1) * rows);
    return { unit: begin, units: end - begin, elements: { begin: rowOf(begin) * channels, end: last * channels } };
  });
}

/** A kernel over all units, and what it binds that is as large as x: operands by binding, and what it writes. */
interface Pass {
  readonly kernel: Kernel;
  readonly constants?: Readonly<Record<string, boolean | number>>;
  readonly params: Params;
  readonly read: Readonly<Record<string, string>>;
  readonly written?: string;
  readonly operands: Readonly<Record<string, Binding>>;
}

/** The steps of a pass over units of `per` rows. */
function unitSteps(g: NormGeometry, per: number, pass: Pass, caps: Capabilities): Step[] {
  const lanes = lanesOf(g);
  const columns = g.channels / lanes;
  return unitRanges(g, per, caps).map(({ unit, units, elements }): Step => {
    const part = (name: string) => boundPart(name, elements, sizeOf(g));
    const read = Object.entries(pass.read).map(([name, operand]) => [name, part(operand).operand] as const);
    const { written } = pass;
    const count = units * columns;
    return {
      kernel: pass.kernel,
      constants: { VEC: lanes === 4, ...pass.constants },
      params: { count, columns, rows: g.rows, unit, xOrigin: part("").origin / lanes, ...pass.params },
      operands: {
        ...pass.operands,
        ...Object.fromEntries(read),
        ...(written ? scalarOrVector(lanes === 4, written, part(written).operand, unwritten(written)) : {}),
      },
      grid: over(count),
    };
  });
}

/** A pass that gives each block of rows of `written` its values. */
function elementwise(g: NormGeometry, pass: Omit<Pass, "params">, caps: Capabilities): Step[] {
  const params = { width: widthOf(g), blocks: ceilDiv(g.rows, ROWS), statistics: statisticsOf(g) };
  const constants = { ROWS, HAS_WEIGHT: g.hasWeight, ...pass.constants };
  const operands = { ...pass.operands, weight: g.hasWeight ? "weight" : UNREAD };
  return unitSteps(g, ROWS, { ...pass, params, constants, operands }, caps);
}

/** A pass that leaves two numbers for each slice and channel in the scratch `partial`. */
function reduction(g: NormGeometry, parts: Slices, pass: Pass, caps: Capabilities): Step[] {
  const vector = lanesOf(g) === 4;
  const total = partialsOf(g, parts) / lanesOf(g);
  const operands = { ...pass.operands, ...scalarOrVector(vector, "partial", "partial", unwritten("partial")) };
  return unitSteps(g, parts.rowsPerSlice, { ...pass, params: { ...pass.params, ...parts, total }, operands }, caps);
}

const partialsOf = (g: NormGeometry, { slices }: Slices): number => g.images * slices * g.channels;

export interface NormOptions extends NormGeometry {
  readonly hasBias: boolean;
  /** Whether a residual is added to the result. */
  readonly hasResidual: boolean;
  /** Added to the variance. */
  readonly eps: number;
  /** The share of x in the running statistics, where they are to follow those of x. Needs what `frozen` does. */
  readonly momentum?: number | undefined;
}

/**
 * Normalisation in three passes: moments of slices, their merger (which also updates the running statistics), and the
 * result; with frozen statistics in two. Operands: x, y, stats [2, images, groups] (mean, 1 / std), and where given
 * weight and bias [channels], residual (like x), runningMean and runningVar [groups]. Undefined when a few rows are
 * larger than a binding.
 */
export function planNorm(o: NormOptions, caps: Capabilities): Plan | undefined {
  const { channels, rows, eps, momentum } = o;
  const parts = slicesOf(o, caps);
  const statistics = statisticsOf(o);
  const running = (name: string) => (momentum === undefined ? unwritten(name) : name);
  const moments = reduction(o, parts, { kernel: MOMENTS, params: {}, read: { x: "x" }, operands: {} }, caps);
  const merge: Step = {
    kernel: MERGE,
    constants: { HAS_RUNNING: momentum !== undefined },
    params: { count: statistics, channels, width: widthOf(o), rows, ...parts, eps, momentum: momentum ?? 0 },
    operands: {
      partial: "partial",
      stats: "stats",
      runningMean: running("runningMean"),
      runningVar: running("runningVar"),
    },
    grid: over(statistics),
  };
  const frozen: Step = {
    kernel: FROZEN,
    params: { count: statistics, eps },
    operands: { runningMean: "runningMean", runningVar: "runningVar", stats: "stats" },
    grid: over(statistics),
  };
  const apply = elementwise(
    o,
    {
      kernel: APPLY,
      constants: { HAS_BIAS: o.hasBias, HAS_RESIDUAL: o.hasResidual, ACTIVATION: activationNumber(o.activation) },
      read: { x: "x", ...(o.hasResidual ? { residual: "residual" } : {}) },
      written: "y",
      operands: { stats: "stats", bias: o.hasBias ? "bias" : UNREAD, residual: UNREAD },
    },
    caps,
  );
  if (moments.length === 0 || apply.length === 0) return undefined;
  if (o.frozen) return { steps: [frozen, ...apply] };
  return { steps: [...moments, merge, ...apply], scratch: { partial: 2 * partialsOf(o, parts) * 4 } };
}

export interface NormBackwardOptions extends NormGeometry {
  /** Whether the input gradient is wanted. */
  readonly input: boolean;
  /** Whether the gradients of weight and bias are wanted. */
  readonly parameters: boolean;
  /** Whether the gradient of the residual is wanted. Without an activation that is dy itself, and needs no plan. */
  readonly residual: boolean;
}

/**
 * Gradients of {@link planNorm}. Operands: x, dy, stats, weight where there is one, y where there is an activation, dx
 * where `input`, dweight and dbias where `parameters`, dresidual where `residual`. Undefined when a few rows are larger
 * than a binding.
 */
export function planNormBackward(o: NormBackwardOptions, caps: Capabilities): Plan | undefined {
  const parts = slicesOf(o, caps);
  const statistics = statisticsOf(o);
  const terms = o.input && !o.frozen;
  const mask = o.activation ? { y: "y" } : {};
  const sums = reduction(
    o,
    parts,
    {
      kernel: BACKWARD_SUMS,
      constants: { ACTIVATION: activationNumber(o.activation), KEEP: o.residual },
      params: { width: widthOf(o), statistics },
      read: { x: "x", dy: "dy", ...mask },
      ...(o.residual ? { written: "dresidual" } : {}),
      operands: { stats: "stats", y: UNREAD, dresidual: unwritten("dresidual"), dresidual4: unwritten("dresidual4") },
    },
    caps,
  );
  const apply = elementwise(
    o,
    {
      kernel: BACKWARD_APPLY,
      constants: { FROZEN: o.frozen, ACTIVATION: o.residual ? 0 : activationNumber(o.activation) },
      // The gradient of the residual is dy after the activation.
      read: { x: "x", ...(o.residual ? { dy: "dresidual" } : { dy: "dy", ...mask }) },
      written: "dx",
      operands: { terms: terms ? "terms" : "stats", y: UNREAD },
    },
    caps,
  );
  if (sums.length === 0 || apply.length === 0) return undefined;
  const merge = terms || o.parameters ? mergers(o, parts, terms) : [];
  const reduced = merge.length > 0 || o.residual ? [...sums, ...merge] : [];
  return {
    steps: [...reduced, ...(o.input ? apply : [])],
    scratch: {
      ...(reduced.length > 0 ? { partial: 2 * partialsOf(o, parts) * 4 } : {}),
      ...(terms ? { terms: 4 * statistics * 4 } : {}),
    },
  };
}

/** One step where every channel is a group of its own, else one for the parameters and one for the terms. */
function mergers(o: NormBackwardOptions, { slices }: Slices, terms: boolean): Step[] {
  const { images, channels, rows, parameters } = o;
  const step = (count: number, width: number, ofImage: number, wanted: { parameters: boolean; terms: boolean }) => ({
    kernel: BACKWARD_MERGE,
    constants: { HAS_WEIGHT: o.hasWeight, PARAMETERS: wanted.parameters, TERMS: wanted.terms },
    params: { count, channels, width, rows, slices: ofImage },
    operands: {
      partial: "partial",
      stats: "stats",
      weight: o.hasWeight ? "weight" : UNREAD,
      dweight: wanted.parameters ? "dweight" : unwritten("dweight"),
      dbias: wanted.parameters ? "dbias" : unwritten("dbias"),
      terms: wanted.terms ? "terms" : unwritten("terms"),
    },
    grid: over(count),
  });
  if (images === 1 && o.groups === channels) return [step(channels, 1, slices, { parameters, terms })];
  return [
    ...(parameters ? [step(channels, 1, images * slices, { parameters, terms: false })] : []),
    ...(terms ? [step(statisticsOf(o), widthOf(o), slices, { parameters: false, terms })] : []),
  ];
}
