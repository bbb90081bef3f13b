import { checkedSession, checkedSettings } from "../session/check.js";
import { StudioError } from "../session/errors.js";
import type { Session, Settings } from "../session/types.js";
import type { KeptNet } from "../store/store.js";
import { openSource, readJson } from "./folders.js";
import { type Files, writeZip, type ZipPart } from "./zips.js";

/** All that the studio keeps, as one file. */
export interface SessionOptions {
  readonly session: Session;
  readonly settings: Settings;
  /** The file of an image. */
  readonly images: (imageId: string) => Promise<Blob>;
  /** Net and optimiser, if there are any. */
  readonly net?: KeptNet | undefined;
}

/** What such a file held. */
export interface ReadSession {
  readonly session: Session;
  readonly settings: Settings;
  /** The files of the images by their ids. */
  readonly images: ReadonlyMap<string, Blob>;
  readonly net: KeptNet | undefined;
}

const LIST = "studio.json";
const WEIGHTS = "net/weights.safetensors";
const OPTIMIZER = "net/optimizer.safetensors";
const FORMAT = "fcn-studio";
const VERSION = 1;

/** A zip of a whole session: images as they were given, strokes as they were painted, settings, net and optimiser. */
export const sessionZip = (options: SessionOptions): Promise<Blob> => writeZip(partsOf(options));

async function* partsOf({ session, settings, images, net }: SessionOptions): AsyncGenerator<ZipPart> {
  const about = net && { step: net.step, classIds: net.classIds };
  yield { path: LIST, content: JSON.stringify({ format: FORMAT, version: VERSION, session, settings, net: about }) };
  for (const { id, name } of session.images) yield { path: `images/${name}`, content: await images(id) };
  if (net !== undefined) yield { path: WEIGHTS, content: net.weights };
  if (net?.optimizer !== undefined) yield { path: OPTIMIZER, content: net.optimizer };
}

/** Whether a zip is one of {@link sessionZip}. Throws StudioError `invalid-data-set` if it is no whole zip. */
export async function isSessionZip(zip: Blob): Promise<boolean> {
  return (await openSource(zip)).files.has(LIST);
}

/** Reads what {@link sessionZip} wrote. Throws StudioError `invalid-data-set` if it is damaged or something else. */
export async function readSession(zip: Blob): Promise<ReadSession> {
  const { name, files } = await openSource(zip);
  const list = (await readJson(files, LIST)) as Readonly<Record<string, unknown>> | null | undefined;
  const refuse = (why: string, cause?: unknown): never => {
    const fix = "Choose a file that the studio exported as a whole session.";
    throw new StudioError("invalid-data-set", `"${name}" is no session of the studio: ${why}.`, fix, { cause });
  };
  if (list === undefined) return refuse(`it holds no ${LIST}`);
  if (list?.format !== FORMAT) return refuse(`its ${LIST} is that of something else`);
  if (list.version !== VERSION)
    return refuse(`it is of version ${String(list.version)}, and this page reads ${VERSION}`);
  const { session, settings } = checked(list, refuse);
  const images = new Map<string, Blob>();
  for (const { id, name: file } of session.images) {
    const read = files.get(`images/${file}`) ?? refuse(`the image "${file}" is missing in it`);
    images.set(id, await read());
  }
  return { session, settings, images, net: await netOf(list.net, files) };
}

/** The net and the state of its training; none where what is said of it is not whole. */
async function netOf(about: unknown, files: Files): Promise<KeptNet | undefined> {
  const { step, classIds } = (about ?? {}) as Readonly<Record<string, unknown>>;
  const weights = await files.get(WEIGHTS)?.();
  const isList = Array.isArray(classIds) && classIds.every((id) => typeof id === "string");
  if (weights === undefined || !isList || !Number.isInteger(step)) return undefined;
  return { weights, optimizer: await files.get(OPTIMIZER)?.(), step: step as number, classIds };
}

function checked(list: Readonly<Record<string, unknown>>, refuse: (why: string, cause: unknown) => never) {
  try {
    return { session: checkedSession(list.session), settings: checkedSettings(list.settings) };
  } catch (cause) {
    return refuse((cause as Error).message, cause);
  }
}
