import { type data, type GraphNet, type LoadedModel, type ModelMetadata, models, surgery } from "@fcn/core";
import type { Device } from "@fcn/tensor";
import { StudioError } from "../session/errors.js";
import type { PaintClass } from "../session/types.js";

/** A net, what its file says, and which class of the session each of its scores is for. */
export interface OwnNet extends LoadedModel {
  readonly classIds: readonly string[];
}

/** ImageNet's means and deviations, for nets that learn from nothing. */
const FROM_NOTHING: data.Preprocessing = {
  channelOrder: "rgb",
  mean: [123.675, 116.28, 103.53],
  std: [58.395, 57.12, 57.375],
};

const said = (classes: readonly PaintClass[]): Pick<ModelMetadata, "classes" | "palette"> => ({
  classes: classes.map(({ name }) => name),
  palette: classes.map(({ colour }) => colour),
});

/** Builds a net by its name. Those with several heads are predicted by their main one. */
const create = (name: string, device: Device, options: models.ModelOptions): GraphNet =>
  models.create(name, device, options) as GraphNet;

/** A net of a name that has learned nothing. */
export function newNet(name: string, classes: readonly PaintClass[], device: Device, seed: number): OwnNet {
  const options = { numClasses: classes.length, seed };
  const model = create(name, device, options);
  const metadata = { model: name, options, ...said(classes), preprocessing: FROM_NOTHING };
  return { model, metadata, classIds: classes.map(({ id }) => id) };
}

/**
 * The net for other classes: what it learned stays, a class that it knew keeps its scores, and another one starts from
 * nothing. `known` are the classes of its scores by id or, where they come from a file, undefined; then names count, or
 * the places where there are as many classes. The old net is disposed.
 */
export async function forClasses(
  { model, metadata }: LoadedModel,
  known: readonly string[] | undefined,
  classes: readonly PaintClass[],
  device: Device,
): Promise<OwnNet> {
  if (metadata.graph !== undefined) throw ownGraph(metadata);
  const options = { ...metadata.options, numClasses: classes.length };
  const next = create(metadata.model, device, options);
  const map = known ? classes.map(({ id }) => place(known, id)) : byNames(metadata.classes, classes);
  const state: Record<string, surgery.HostState[string]> = {};
  for (const [name, tensor] of Object.entries(model.stateDict())) {
    state[name] = { dtype: tensor.dtype, shape: tensor.shape, data: await tensor.data() } as surgery.HostState[string];
  }
  const isNew = map.every((row) => row === undefined);
  next.loadStateDict(surgery.swapHead(state, next, isNew ? {} : { classes: map }).state, { strict: false });
  model.dispose();
  return { model: next, metadata: { ...metadata, options, ...said(classes) }, classIds: classes.map(({ id }) => id) };
}

const place = (list: readonly string[], value: string): number | undefined => {
  const found = list.indexOf(value);
  return found < 0 ? undefined : found;
};

function byNames(names: readonly string[], classes: readonly PaintClass[]): (number | undefined)[] {
  const found = classes.map(({ name }) => place(names, name));
  const isKnown = found.some((row) => row !== undefined);
  return isKnown || names.length !== classes.length ? found : classes.map((_, i) => i);
}

/** The classes as they are called and coloured by now, for a net whose scores are for these classes. */
export const renamed = (net: OwnNet, classes: readonly PaintClass[]): OwnNet => ({
  ...net,
  metadata: { ...net.metadata, ...said(classes) },
});

export const sameClasses = ({ classIds }: OwnNet, classes: readonly PaintClass[]): boolean =>
  classIds.length === classes.length && classes.every(({ id }, i) => classIds[i] === id);

const STRIDE = /^fcn(?:32|16|8)s-/;

/**
 * Nets of strides 32, 16 and 8 that start alike: from the backbone and the coarsest scores of `net`, with skips that
 * have learned nothing (section 4.2 of the paper adds them so).
 */
export function sideBySide({ model, metadata, classIds }: OwnNet, device: Device): Record<32 | 16 | 8, OwnNet> {
  if (!STRIDE.test(metadata.model)) {
    throw new StudioError(
      "no-strides",
      `The net ${metadata.model} has no forms of strides 32, 16 and 8.`,
      "Choose fcn8s-small or fcn8s-mobilenetv2 to compare them.",
    );
  }
  const make = (stride: number): OwnNet => {
    const name = metadata.model.replace(STRIDE, `fcn${stride}s-`);
    return { model: create(name, device, metadata.options), metadata: { ...metadata, model: name }, classIds };
  };
  const coarse = make(32);
  surgery.transplant(model, coarse.model);
  const finer = [make(16), make(8)] as const;
  for (const { model: own } of finer) surgery.transplant(coarse.model, own);
  return { 32: coarse, 16: finer[0], 8: finer[1] };
}

function ownGraph({ model }: ModelMetadata): StudioError {
  return new StudioError(
    "own-graph",
    `The net "${model}" has layers of its own, so that it cannot be given other classes here.`,
    "Use a file of a net from `fcn models`, or train this one with `fcn train`.",
  );
}
