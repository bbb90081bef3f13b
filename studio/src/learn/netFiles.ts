import { encodeModel, loadModel, type TrainState } from "@fcn/core";
import { type Device, io } from "@fcn/tensor";
import { StudioError } from "../session/errors.js";
import type { PaintClass, Settings } from "../session/types.js";
import type { KeptNet } from "../store/store.js";
import type { FileNet } from "./learner.js";
import { forClasses, newNet, type OwnNet } from "./nets.js";

/** A net, and where its training goes on; undefined before the first step. */
export interface StartNet {
  readonly net: OwnNet;
  readonly from: TrainState | undefined;
}

const SEED = 1;

const bytesOf = async (file: Blob): Promise<Uint8Array> => new Uint8Array(await file.arrayBuffer());
const blobOf = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

/** The weights of a net as a file that `fcn predict` takes. */
export const encodeWeights = async ({ model, metadata }: OwnNet): Promise<Blob> =>
  blobOf(await encodeModel(model, metadata));

/** A net and the state of its training as they are kept between visits. */
export async function encodeNet(net: OwnNet, state: TrainState | undefined): Promise<KeptNet> {
  const weights = await encodeWeights(net);
  const { classIds } = net;
  if (state === undefined) return { weights, step: 0, classIds };
  return { weights, optimizer: blobOf(await io.encodeSafetensors(state.optimizer)), step: state.step, classIds };
}

/** The net that was kept, for the classes of the session. Its training goes on where the classes are the same. */
async function openKept(kept: KeptNet, classes: readonly PaintClass[], device: Device): Promise<StartNet> {
  const { weights, optimizer, step, classIds } = kept;
  const loaded = await loadModel(await bytesOf(weights), device);
  const isSame = classIds.length === classes.length && classes.every(({ id }, i) => classIds[i] === id);
  if (!isSame) return { net: await forClasses(loaded, classIds, classes, device), from: undefined };
  const net = { ...loaded, classIds };
  return { net, from: optimizer && { step, optimizer: await io.readSafetensors(await bytesOf(optimizer)) } };
}

/** The net of a file of the person's own, and what the file says of it. Classes are told by their names. */
export async function openFile(
  file: Blob,
  classes: readonly PaintClass[],
  device: Device,
): Promise<StartNet & { readonly says: FileNet }> {
  const loaded = await loadModel(await bytesOf(file), device);
  const { model, classes: names, palette } = loaded.metadata;
  const net = await forClasses(loaded, undefined, classes, device);
  return { net, from: undefined, says: { model, classes: names, palette } };
}

/** What a first net is made for. */
export interface NetPlace {
  readonly settings: Settings;
  readonly classes: readonly PaintClass[];
  readonly device: Device;
  /** Where the page is served from. */
  readonly base: string;
}

/** The net that was kept, if it is that of the settings and can be read; otherwise the one that they begin with. */
export async function firstNet(
  kept: KeptNet | undefined,
  place: NetPlace,
  tell: (error: unknown) => void,
): Promise<StartNet> {
  const { settings, classes, device } = place;
  if (kept) {
    try {
      const start = await openKept(kept, classes, device);
      if (settings.net === "own" || start.net.metadata.model === settings.net) return start;
      start.net.model.dispose();
    } catch (error) {
      tell(error);
    }
  }
  return startingNet(place);
}

/** FCN-8s with features from ImageNet, which the page serves, or a small one that has learned nothing. */
async function startingNet({ settings: { net }, classes, device, base }: NetPlace): Promise<StartNet> {
  if (net !== "fcn8s-mobilenetv2") return { net: newNet("fcn8s-small", classes, device, SEED), from: undefined };
  const url = new URL(`generated/weights/${net}.safetensors`, base);
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok) {
    throw new StudioError(
      "no-weights",
      `The weights of ${net} could not be loaded from ${url}: ${response ? `status ${response.status}` : "no connection"}.`,
      "Connect to the network once, or choose fcn8s-small, which starts from nothing.",
    );
  }
  const { model, metadata } = await loadModel(new Uint8Array(await response.arrayBuffer()), device);
  // The file scores two classes that nobody has learned, so that none of them is known here.
  return { net: await forClasses({ model, metadata }, [], classes, device), from: undefined };
}
