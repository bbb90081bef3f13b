import { signal } from "@preact/signals";
import { addImages, newId, newSession, removeImage as without } from "../session/commands.js";
import type { PaintedImage } from "../session/types.js";
import type { Store } from "../store/store.js";
import { store, storeOnceOpen } from "./keeping.js";
import { resetNet } from "./learning.js";
import { noteError, underWay } from "./notes.js";
import { edit, isExample, netState, session, shownId } from "./state.js";
import { decoding } from "./work/decoding.js";

/** Addresses of the thumbnails by image. */
export const thumbnails = signal<ReadonlyMap<string, string>>(new Map());

/** A file and the name to give it. */
export interface NamedFile {
  readonly name: string;
  readonly file: Blob;
}

/** Adds images; each that cannot be read is told of, and the others are added. Leaves the example behind. */
export async function addImageFiles(files: readonly NamedFile[]): Promise<void> {
  const added: PaintedImage[] = [];
  await underWay(files.length === 1 ? "Reading the image" : `Reading ${files.length} images`, async (tell) => {
    for (const [i, { name, file }] of files.entries()) {
      tell(i / files.length);
      try {
        const size = await decoding().read(file, name);
        const id = newId();
        await (await storeOnceOpen).putImage(id, file);
        added.push({ id, strokes: [], ...size });
      } catch (thrown) {
        noteError(thrown);
      }
    }
  });
  if (added.length === 0) return;
  // What a person brought should not go when the disk gets full, if the browser agrees.
  void navigator.storage?.persist?.();
  // Something of one's own takes the place of the example, its classes and what the net learned of it.
  const leaves = isExample.value;
  edit(addImages(leaves ? newSession() : session.value, added));
  shownId.value = added[0]?.id ?? shownId.value;
  if (leaves && netState.value.kind === "ready") await resetNet().catch(noteError);
}

/** Removes an image and shows its neighbour. Its file stays for undo. */
export function removeImage(id: string): void {
  const { images } = session.value;
  const at = images.findIndex((image) => image.id === id);
  const next = images[at + 1] ?? images[at - 1];
  edit(without(session.value, id));
  if (shownId.value === null || !session.value.images.some((image) => image.id === shownId.value)) return;
  if (next !== undefined) shownId.value = next.id;
}

let making = false;

/** Makes the thumbnails that are missing, one at a time; they are stored beside the images. */
export async function makeThumbnails(): Promise<void> {
  if (making) return;
  making = true;
  try {
    for (let next = missing(); next !== undefined; next = missing()) {
      const url = await thumbnailOf(next.id).then(URL.createObjectURL, () => "");
      thumbnails.value = new Map(thumbnails.value).set(next.id, url);
    }
  } finally {
    making = false;
  }
}

const missing = (): PaintedImage | undefined => session.value.images.find(({ id }) => !thumbnails.value.has(id));

async function thumbnailOf(id: string): Promise<Blob> {
  const name = `${id}/thumbnail`;
  try {
    return await store().image(name);
  } catch {
    const made = await decoding().thumbnail(await store().image(id));
    await store().putImage(name, made);
    return made;
  }
}

/** Removes the files of images that are no longer in the session and that no undo can bring back. */
export async function removeUnreachable(store: Store, reachable: ReadonlySet<string>): Promise<void> {
  for (const name of await store.imageIds()) {
    if (!reachable.has(name.split("/")[0] as string)) await store.removeImage(name);
  }
}
