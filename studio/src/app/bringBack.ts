import type { DataSet } from "../files/readDataSet.js";
import type { ReadSession } from "../files/sessionZip.js";
import { stopKeeping, store } from "./keeping.js";
import { endLearning } from "./learning.js";
import { merged } from "./merge.js";
import { note, underWay } from "./notes.js";
import { edit, isExample, question, session, shownId } from "./state.js";
import { inWorker } from "./work/inWorker.js";

/** Brings back a data set, whose images join those that are there, or a whole session, which takes their place. */
export async function bringBack(source: Blob | readonly File[]): Promise<void> {
  const found = await underWay("Reading what you bring back", () => inWorker((work) => work.bringBack(source)));
  if (found === undefined) return;
  if (found.kind === "data-set") {
    await underWay("Keeping the images", () => join(found.read));
    return;
  }
  const replace = (): void => void underWay("Keeping the session", () => replaceBy(found.read));
  if (isExample.value || session.value.images.length === 0) return replace();
  question.value = {
    title: "Replace what is here?",
    text: `The session in the file has ${found.read.session.images.length} images. It takes the place of your ${session.value.images.length} images, their strokes and the net; take those away first if you want to keep them.`,
    verb: "Replace",
    run: replace,
  };
}

async function join({ session: other, images, notes }: DataSet): Promise<void> {
  for (const [id, file] of images) await store().putImage(id, file);
  edit(isExample.value ? other : merged(session.value, other));
  shownId.value = other.images[0]?.id ?? shownId.value;
  for (const one of notes) note("error", one);
  note("info", `${other.images.length} images were brought back.`);
}

/** Writes the session to the store and opens the page anew with it. */
async function replaceBy({ session: other, settings, images, net }: ReadSession): Promise<void> {
  const to = store();
  for (const [id, file] of images) await to.putImage(id, file);
  stopKeeping();
  endLearning();
  await to.write({ session: other, settings, shown: other.images[0]?.id ?? null, training: false });
  if (net === undefined) await to.removeNet();
  else await to.putNet(net);
  location.reload();
}

/** Asks, then deletes all that the browser keeps for the page. */
export function askToForget(): void {
  question.value = {
    title: "Delete everything?",
    text: "Images, strokes and the net that this browser keeps are deleted for good. What you took away stays yours.",
    verb: "Delete everything",
    run: () => void underWay("Deleting", forgetAll),
  };
}

async function forgetAll(): Promise<void> {
  stopKeeping();
  endLearning();
  await store().clear();
  location.reload();
}
