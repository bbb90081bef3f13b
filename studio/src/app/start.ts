import { batch, signal } from "@preact/signals";
import { type Hold, holdSession } from "../store/lock.js";
import { openStore, type Store } from "../store/store.js";
import { removeUnreachable } from "./images.js";
import { setStore, startKeeping, stopKeeping } from "./keeping.js";
import { endLearning, startLearning } from "./learning.js";
import { memoryStore } from "./memoryStore.js";
import { noteError } from "./notes.js";
import { begin, EXAMPLE, session as present, settings, training } from "./state.js";

/** Whether another tab has the session. */
export const elsewhere = signal(false);

/** In the address of a page that takes the session from another tab. */
const TAKE_OVER = "#here";

/** Takes the session over from the other tab: this one begins anew with what is kept. */
export function useHere(): void {
  location.hash = TAKE_OVER;
  location.reload();
}

/** Opens what is kept, or the example on a first visit, and the net; unless another tab has it. */
export async function start(): Promise<void> {
  const steal = location.hash === TAKE_OVER;
  if (steal) history.replaceState(null, "", location.pathname + location.search);
  const hold = await holdSession({ steal }).catch((thrown: unknown) => {
    noteError(thrown);
    return "none" as const;
  });
  if (hold === undefined) {
    elsewhere.value = true;
    return;
  }
  const isFirstVisit = await open();
  startKeeping();
  if (hold !== "none") void giveUp(hold);
  await startLearning(isFirstVisit);
}

async function giveUp(hold: Hold): Promise<void> {
  await hold.stolen;
  stopKeeping();
  endLearning();
  elsewhere.value = true;
}

/**
 * Opens the store and shows what is kept in it; where the browser refuses, one that lasts until the page is left.
 * Returns whether there was nothing.
 */
async function open(): Promise<boolean> {
  try {
    return await show(await openStore());
  } catch (thrown) {
    noteError(thrown);
    return show(memoryStore());
  }
}

async function show(store: Store): Promise<boolean> {
  const saved = await store.read();
  setStore(store);
  if (saved === undefined) {
    await showExample(store).catch(noteError);
    return true;
  }
  batch(() => {
    settings.value = saved.settings;
    training.value = saved.training;
    begin(saved.session, saved.shown);
  });
  await removeUnreachable(store, new Set(saved.session.images.map(({ id }) => id)));
  return false;
}

async function showExample(store: Store): Promise<void> {
  const { loadExample } = await import("../example/example.js");
  const { session, images } = await loadExample();
  for (const { id, blob } of images) await store.putImage(EXAMPLE + id, blob);
  // Whoever brought images in the meantime wants to see those.
  if (present.value.images.length > 0) return;
  const marked = session.images.map((image) => ({ ...image, id: EXAMPLE + image.id }));
  batch(() => {
    begin({ ...session, images: marked }, marked[0]?.id ?? null);
    training.value = true;
  });
}
