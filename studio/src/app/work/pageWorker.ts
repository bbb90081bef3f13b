import { expose } from "comlink";
import { cocoJson } from "../../files/coco.js";
import { dataSetZip, eachLabelled } from "../../files/dataSetZip.js";
import { maskPng, overlayPng } from "../../files/exports.js";
import { type DataSet, readDataSet } from "../../files/readDataSet.js";
import { isSessionZip, type ReadSession, readSession, sessionZip } from "../../files/sessionZip.js";
import { writeZip, type ZipPart } from "../../files/zips.js";
import type { FullLabels } from "../../learn/learner.js";
import { fillArea } from "../../session/fill.js";
import { baseName } from "../../session/names.js";
import { rasterise } from "../../session/raster.js";
import type { Area, PaintClass, PaintedImage, Point, Session, Settings } from "../../session/types.js";
import { workSize } from "../../session/workSize.js";
import type { KeptNet } from "../../store/store.js";
import { told } from "./told.js";

/** What the page gives to the work. */
export interface Sources {
  /** The file of an image. */
  image(id: string): Promise<Blob>;
  /** Labels of an image by the net, at full size. */
  labels(id: string): Promise<FullLabels>;
  /** Is told how much is done, 0 to 1. */
  told(done: number): void;
}

/** Which labels are taken away. */
export interface Labels {
  readonly session: Session;
  /** Whether they come from the net; otherwise they are what is painted. */
  readonly predicted: boolean;
}

/** Work that would hold up the page. What it throws is a plain object with message and fix. */
export interface PageWork {
  /** Masks, or overlays, of the images of the session: one as PNG, several as zip. */
  pictures(labels: Labels, look: "mask" | "overlay", alpha: number, sources: Sources): Promise<Blob>;
  dataSet(labels: Labels, sources: Sources): Promise<Blob>;
  coco(labels: Labels, sources: Sources): Promise<Blob>;
  session(session: Session, settings: Settings, net: KeptNet | undefined, sources: Sources): Promise<Blob>;
  /** The region of what is painted, or of what is not, around a place; undefined outside the image. */
  fill(image: PaintedImage, classes: readonly PaintClass[], workSide: number, at: Point): Promise<Area | undefined>;
  /** Reads a zip of either kind, or the files of a folder. */
  bringBack(source: Blob | readonly File[]): Promise<BroughtBack>;
}

export type BroughtBack =
  | { readonly kind: "session"; readonly read: ReadSession }
  | { readonly kind: "data-set"; readonly read: DataSet };

const work: PageWork = {
  async pictures(labels, look, alpha, sources) {
    const parts = picturesOf(labels, look, alpha, sources);
    if (labels.session.images.length > 1) return writeZip(parts);
    const { value } = await parts.next();
    return value?.content as Blob;
  },
  dataSet: ({ session, predicted }, sources) =>
    dataSetZip({
      session,
      includePrediction: predicted,
      labelsOf: (id) => sources.labels(id),
      images: (id) => sources.image(id),
      onProgress: (done, total) => sources.told(done / total),
    }),
  coco: (labels, sources) => cocoJson(labelled(labels, sources), labels.session.classes),
  session: (session, settings, net, sources) =>
    sessionZip({ session, settings, net, images: (id) => sources.image(id) }),
  async fill(image, classes, workSide, at) {
    const size = workSize(image, workSide);
    return fillArea(rasterise(image, classes, size).all, size, image, at);
  },
  async bringBack(source) {
    if (source instanceof Blob && (await isSessionZip(source))) {
      return { kind: "session", read: await readSession(source) };
    }
    return { kind: "data-set", read: await readDataSet(source) };
  },
};

async function* labelled({ session, predicted }: Labels, sources: Sources) {
  const labelsOf = (id: string): Promise<FullLabels> => sources.labels(id);
  let done = 0;
  for await (const image of eachLabelled({ session, includePrediction: predicted, labelsOf })) {
    yield image;
    sources.told(++done / session.images.length);
  }
}

async function* picturesOf(
  labels: Labels,
  look: "mask" | "overlay",
  alpha: number,
  sources: Sources,
): AsyncGenerator<ZipPart & { readonly content: Blob }> {
  const { classes, images } = labels.session;
  for await (const image of labelled(labels, sources)) {
    const { id } = images.find(({ name }) => name === image.name) as Session["images"][number];
    const path = `${baseName(image.name)}.png`;
    if (look === "mask") yield { path, content: await maskPng(image, classes) };
    else yield { path, content: await overlayPng(await sources.image(id), image, classes, alpha) };
  }
}

expose(told(work));
