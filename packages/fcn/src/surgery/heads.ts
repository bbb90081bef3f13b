import type { io } from "@fcn/tensor";
import { checkValue, checkValues, elementsOf, rules, show } from "@fcn/tensor/internal";
import type { GraphNet, NetOutput } from "../models/graph/net.js";
import { scoreLayers, scoreUpsampling } from "../models/graph/scoreLayers.js";
import { convertDeconvBlob } from "../models/graph/weights/deconvBlobs.js";
import { arrayOf, gather, type HostState, surgeryError } from "./state.js";

/** For each new class, the old class whose weights it starts from; undefined starts from zero. */
export type ClassMap = readonly (number | undefined)[];

/** Selects the rows of `array` for the classes, with zeros for new ones. */
function classRows(op: string, name: string, array: io.HostArray, classes: ClassMap): io.HostArray {
  const [known = 0, ...rest] = array.shape;
  const { what, holds } = rules.whole(0, known - 1);
  const old = rules.rule(`${what}, or undefined for a new class`, (value) => value === undefined || holds(value));
  checkValue(`surgery.${op}`, "the number of classes", classes.length, rules.whole(1));
  checkValues(
    `surgery.${op}`,
    classes.map((row, i) => [`classes[${i}] for ${name} ${show(array.shape)}`, row, old]),
  );
  const count = elementsOf(rest);
  const offsets = classes.map((c) => (c === undefined ? undefined : c * count));
  return gather(array, [classes.length, ...rest], count, offsets);
}

/**
 * Maps the score layer `layer` to other classes: kept classes keep their rows of weight and bias, and new ones get
 * zeros.
 */
export function remapScore(state: HostState, layer: string, classes: ClassMap): HostState {
  return remap("remapScore", state, layer, classes);
}

function remap(op: string, state: HostState, layer: string, classes: ClassMap): HostState {
  const weight = arrayOf(op, state, `${layer}.weight`);
  const bias = Object.hasOwn(state, `${layer}.bias`) ? state[`${layer}.bias`] : undefined;
  return {
    ...state,
    [`${layer}.weight`]: classRows(op, `${layer}.weight`, weight, classes),
    ...(bias ? { [`${layer}.bias`]: classRows(op, `${layer}.bias`, bias, classes) } : {}),
  };
}

/**
 * Extends the score layer `layer` to `numClasses` classes: the old ones come first, and the new ones start from zero.
 * Source: `expand_score` of the reference implementation. Throws if there are fewer classes than before.
 */
export function expandScore(state: HostState, layer: string, numClasses: number): HostState {
  const { shape } = arrayOf("expandScore", state, `${layer}.weight`);
  const [known = 0] = shape;
  const { what, ...rule } = rules.whole(known);
  const least = `${what}, the classes of ${layer}.weight ${show(shape)} (swapHead makes them fewer)`;
  checkValue("surgery.expandScore", "numClasses", numClasses, { ...rule, what: least });
  const classes = Array.from({ length: numClasses }, (_, c) => (c < known ? c : undefined));
  return remap("expandScore", state, layer, classes);
}

export interface HeadSwap {
  /** The weights to load with `net.loadStateDict(state, { strict: false })`. */
  readonly state: HostState;
  /** Names that were removed, for which the net keeps its initial values. */
  readonly dropped: readonly string[];
  /** Names whose rows were selected by `classes`. */
  readonly remapped: readonly string[];
}

/**
 * Adapts the weights of a net to `net`, which has other classes. Score layers and the upsampling of scores are removed,
 * so that `net` keeps its initial values there. With `classes`, one entry for each class of `net`, the score layers
 * start from the rows of old classes instead.
 */
export function swapHead<Output extends NetOutput>(
  state: HostState,
  net: GraphNet<Output>,
  { classes }: { readonly classes?: ClassMap } = {},
): HeadSwap {
  const scores = scoreLayers(net.graph).filter((layer) => Object.hasOwn(state, `${layer}.weight`));
  const upsampling = scoreUpsampling(net.graph);
  const isHead = (name: string): boolean =>
    upsampling.has(layerOf(name)) || (classes === undefined && scores.includes(layerOf(name)));
  const dropped = Object.keys(state).filter(isHead);
  const kept: HostState = Object.fromEntries(Object.entries(state).filter(([name]) => !isHead(name)));
  if (classes === undefined) return { state: kept, dropped, remapped: [] };
  const remapped = scores.reduce((so, layer) => remap("swapHead", so, layer, classes), kept);
  return { state: remapped, dropped, remapped: Object.keys(kept).filter((name) => scores.includes(layerOf(name))) };
}

const layerOf = (name: string): string => name.slice(0, name.lastIndexOf("."));

/**
 * Converts dense upsampling weights [C, C, k, k], as published, to the channel-wise form [C, 1, k, k]. Throws if they
 * mix classes, since no such form exists.
 */
export function channelwiseUpsampling(state: HostState, layer: string): HostState {
  const name = `${layer}.weight`;
  const dense = arrayOf("channelwiseUpsampling", state, name);
  const [channels = 0, wide, kh = 0, kw = 0] = dense.shape;
  if (dense.shape.length !== 4 || (wide !== channels && wide !== 1)) {
    const problem = `${name} has shape ${show(dense.shape)}, expected [C, C, k, k]`;
    throw surgeryError("channelwiseUpsampling", problem, "name a transposed convolution on scores");
  }
  if (wide === 1) return state;
  const values = { ...dense, data: dense.data as ArrayLike<number> };
  return { ...state, [name]: convertDeconvBlob(name, values, [channels, 1, kh, kw]) as io.HostArray };
}
