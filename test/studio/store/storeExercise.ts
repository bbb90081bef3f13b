import { addImages, newSession, renameClass } from "../../../studio/src/session/commands.js";
import type { StudioError } from "../../../studio/src/session/errors.js";
import type { Settings } from "../../../studio/src/session/types.js";
import { type Hold, holdSession } from "../../../studio/src/store/lock.js";
import { type KeptNet, openStore, type Saved } from "../../../studio/src/store/store.js";
import { blank } from "../session/sessions.js";

const SETTINGS: Settings = { net: "fcn8s-small", workSide: 512, augment: true };

/** What a StudioError tells, as plain data; undefined if nothing is thrown. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

async function toldBy(call: () => Promise<unknown>): Promise<Told | undefined> {
  try {
    await call();
    return undefined;
  } catch (error) {
    const { code, message, fix } = error as StudioError;
    return { code, message, fix };
  }
}

const netOf = (weights: Blob): KeptNet => ({ weights, step: 7, classIds: ["a"] });

const saved = (name: string): Saved => {
  const image = blank(30, 40, "a.png", "image-1");
  const session = addImages(newSession(), [image]);
  return {
    session: renameClass(session, session.classes[0]!.id, name),
    settings: SETTINGS,
    shown: image.id,
    training: true,
  };
};

/** Writes one of everything. */
export async function fillStore(name: string): Promise<Saved> {
  const store = await openStore();
  const all = saved(name);
  await store.putImage("image-1", new Blob(["pixels"], { type: "image/png" }));
  await store.putNet(netOf(new Blob([new Uint8Array([1, 2, 3])])));
  await store.write(all);
  return all;
}

export interface Kept {
  readonly saved: Saved | undefined;
  readonly imageIds: readonly string[];
  readonly image: string | undefined;
  readonly type: string | undefined;
  readonly net: readonly (number | string)[] | undefined;
  readonly bytes: number;
  readonly most: number | undefined;
}

/** Reads everything. */
export async function readStore(): Promise<Kept> {
  const store = await openStore();
  const imageIds = await store.imageIds();
  const image = imageIds[0] === undefined ? undefined : await store.image(imageIds[0]);
  const net = await store.net();
  return {
    saved: await store.read(),
    imageIds,
    image: await image?.text(),
    type: image?.type,
    net: net && [net.step, ...net.classIds, ...new Uint8Array(await net.weights.arrayBuffer())],
    ...(await store.usage()),
  };
}

/** Removes what was written, piece by piece and then all at once. */
export async function removeAll(): Promise<Kept[]> {
  const store = await openStore();
  await store.removeImage("image-1");
  await store.removeNet();
  const without = await readStore();
  await fillStore("again");
  await store.clear();
  return [without, await readStore()];
}

/** Writes more than there is room for, and then less. */
export async function overfill(
  bytes: number,
): Promise<{ readonly image: Told | undefined; readonly net: Told | undefined }> {
  const store = await openStore();
  const large = new Blob([crypto.getRandomValues(new Uint8Array(65536)), new Uint8Array(bytes)]);
  return {
    image: await toldBy(() => store.putImage("large", large)),
    net: await toldBy(() => store.putNet(netOf(large))),
  };
}

export const openDenied = (): Promise<Told | undefined> => toldBy(openStore);

/** Puts something else in the place of what the studio wrote. */
export async function damage(): Promise<readonly (Told | undefined)[]> {
  await fillStore("whole");
  const store = await openStore();
  const put = (value: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = indexedDB.open("fcn-studio");
      request.onsuccess = () => {
        const transaction = request.result.transaction("state", "readwrite");
        transaction.objectStore("state").put(value, "saved");
        transaction.oncomplete = () => resolve();
        transaction.onerror = () => reject(transaction.error);
      };
    });
  const results: (Told | undefined)[] = [await toldBy(() => store.image("image-2"))];
  const whole = saved("whole");
  const { session } = whole;
  for (const value of [
    "text",
    { ...whole, session: { ...session, classes: [] } },
    { ...whole, session: { ...session, images: [{ ...session.images[0], height: "30" }] } },
    { ...whole, settings: { ...SETTINGS, net: "unknown" } },
    { ...whole, shown: "nobody" },
  ]) {
    await put(value);
    results.push(await toldBy(() => store.read()));
  }
  return results;
}

let hold: Hold | undefined;

/** Takes the session, and tells in the title of the page when it is taken away. */
export async function takeHold(steal: boolean): Promise<boolean> {
  hold = await holdSession({ steal });
  hold?.stolen.then(() => {
    document.title = "stolen";
  });
  return hold !== undefined;
}
