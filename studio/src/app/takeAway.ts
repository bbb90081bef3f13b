import { signal } from "@preact/signals";
import { baseName } from "../session/names.js";
import type { Session } from "../session/types.js";
import { store } from "./keeping.js";
import { learner } from "./learning.js";
import { underWay } from "./notes.js";
import { netState, opacity, session, settings, shown } from "./state.js";
import { inWorker } from "./work/inWorker.js";
import type { Labels, PageWork, Sources } from "./work/pageWorker.js";

/** What labels hold: the net's, with what is painted over them or not, or what is painted alone. */
export type LabelChoice = "both" | "net" | "strokes";

export const labelChoice = signal<LabelChoice>("both");
/** Whether masks and overlays are those of all images or of the one shown. */
export const allImages = signal(false);

/** What is left of the choice where there is no net. */
export const labelsHold = (): LabelChoice => (netState.value.kind === "ready" ? labelChoice.value : "strokes");

export function takePictures(look: "mask" | "overlay"): Promise<void> {
  const { images } = session.value;
  const chosen = allImages.value ? images : images.filter((image) => image === shown.value);
  const [first] = chosen;
  const name = chosen.length === 1 && first !== undefined ? `${baseName(first.name)}-${look}.png` : `${look}s.zip`;
  const words = look === "mask" ? "Making masks" : "Making overlays";
  return take(words, name, (work, sources) =>
    work.pictures(labels({ ...session.value, images: chosen }), look, opacity.value, sources),
  );
}

export const takeDataSet = (): Promise<void> =>
  take("Making the data set", "data-set.zip", (work, sources) => work.dataSet(labels(session.value), sources));

export const takeCoco = (): Promise<void> =>
  take("Making the COCO file", "coco.json", (work, sources) => work.coco(labels(session.value), sources));

export const takeSession = (): Promise<void> =>
  take("Making the file of the session", "session.fcn-studio.zip", async (work, sources) => {
    if (netState.value.kind === "ready") await learner().save();
    return work.session(session.value, settings.value, await store().net(), sources);
  });

export async function takeWeights(): Promise<void> {
  const file = await underWay("Writing the weights", () => learner().weights());
  if (file !== undefined) download(file, "net.safetensors");
}

export async function takeOnnx(): Promise<void> {
  const file = await underWay("Writing the ONNX file", () => learner().onnx());
  if (file !== undefined) download(file, "net.onnx");
}

const labels = (of: Session): Labels => ({ session: of, predicted: labelsHold() !== "strokes" });

async function take(
  words: string,
  name: string,
  make: (work: PageWork, sources: Sources) => Promise<Blob>,
): Promise<void> {
  const onTop = labelsHold() === "both";
  const file = await underWay(words, (tell) => inWorker(make, tell, onTop));
  if (file !== undefined) download(file, name);
}

function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  // The browser reads the file after the click returns.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
