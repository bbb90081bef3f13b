import { concat, slice } from "./channels.js";
import { conv } from "./conv.js";
import { convTranspose } from "./convTranspose.js";
import { crop } from "./crop.js";
import { input } from "./input.js";
import type { Kind } from "./kind.js";
import { batchNorm, groupNorm, lrn } from "./norm.js";
import { pad } from "./pad.js";
import { add, dropout, gate, hardsigmoid, hardswish, max, relu, relu6, scale, sigmoid } from "./pointwise.js";
import { avgPool, globalPool, maxPool } from "./pool.js";
import { resize } from "./resize.js";

const ALL = {
  input,
  conv,
  convTranspose,
  maxPool,
  avgPool,
  globalPool,
  batchNorm,
  groupNorm,
  lrn,
  relu,
  relu6,
  hardswish,
  hardsigmoid,
  sigmoid,
  dropout,
  scale,
  add,
  max,
  gate,
  concat,
  slice,
  pad,
  resize,
  crop,
};

/** A layer of a net's graph of any kind, as data. */
export type Layer = Parameters<(typeof ALL)[keyof typeof ALL]["run"]>[0];
export type LayerKind = Layer["kind"];
export type LayerOf<K extends LayerKind> = Extract<Layer, { kind: K }>;

/** Every kind of layer by the name that its layers carry. */
export const KINDS: { readonly [K in LayerKind]: Kind<LayerOf<K>> } = ALL;

export const LAYER_KINDS = Object.keys(KINDS) as readonly LayerKind[];

export const kindOf = <L extends Layer>(layer: L): Kind<L> => KINDS[layer.kind] as unknown as Kind<L>;
