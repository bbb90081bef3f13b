import { join } from "node:path";
import { hasCode } from "@fcn/tensor";
import { decodeImage } from "../../../data/decode/image.js";
import { errorOf, type ToldError } from "../../../data/files/errors.js";
import { isRemote } from "../../../places/address.js";
import { readAddress } from "../../../places/open.js";
import type { Place } from "../../../places/place.js";
import type { Input } from "../../../prediction/files/input.js";
import { namesOf, OutputFolder, type OutputName } from "../../../prediction/files/outputs.js";
import { type ImageReport, predictAndWrite } from "../../../prediction/files/run.js";
import { SAVED } from "../../../prediction/files/scenes.js";
import type { Run, TakenChunk } from "../../runs/spec.js";
import type { Session } from "../session.js";
import type { ListedImage, PlannedScene, PredictPart } from "./files.js";
import { taskOf } from "./task.js";

/**
 * Beginnings of a chunk, some seconds apart, until images are left out whose place does not answer: one server that is
 * gone for good must not keep a run from its end.
 */
const MOST_STARTS = 60;

/** Predicts images, and writes the results into their place. */
export async function predictChunk(
  run: Run,
  { from, starts }: TakenChunk,
  images: readonly ListedImage[],
  session: Session,
  place: Place,
): Promise<PredictPart> {
  const { options, tolerance, shown, names, scenes: bounds } = taskOf(run);
  const save = taskOf(run).save ?? SAVED;
  const inputs = await Promise.all(images.map((image) => inputOf(image, session)));
  const folder = new OutputFolder(place, save, { isShared: true });
  const scenes: PlannedScene[] = [];
  try {
    const { images: reports, remarks } = await session.withNets(run.spec.weights, (nets, device) =>
      predictAndWrite(
        {
          ...{ inputs, weights: names, out: shown, save: taskOf(run).save, options, tolerance },
          ...(bounds && { scenes: bounds }),
          // A place that does not answer says nothing of its images, which are all tried again.
          isFatal: (error) => hasCode(error, "no-network") && starts < MOST_STARTS,
          onScene: (input, plan) => {
            const { classes, palette } = nets[0].metadata;
            scenes.push({ line: from + inputs.indexOf(input), plan, classes, palette });
          },
        },
        { device, nets },
        { folder, named: new Map(inputs.map((input) => [input, namesOf(input.stem, save)])) },
        () => {},
      ),
    );
    const told = reports.map((report, i): ImageReport => {
      if ("error" in report) return report;
      return { ...report, files: shownFiles(run, place, (inputs[i] as Input).stem, save) };
    });
    return { images: told, files: [...folder.written], remarks, scenes };
  } finally {
    await folder.close();
  }
}

async function inputOf({ input, address, stem, error }: ListedImage, session: Session): Promise<Input> {
  const refuse = (reason: unknown): Input => ({ name: input, stem, load: () => Promise.reject(reason) });
  if (error || address === undefined) return refuse(errorOf(error as ToldError));
  try {
    // Nothing of a file may be read before, not even whether it is a scene.
    await session.roots.check(address);
  } catch (reason) {
    return refuse(reason);
  }
  const load: Input["load"] = async (scale) => (await decodeImage(input, await readAddress(address), scale)).image;
  return { name: input, stem, address, load };
}

/** Where results are, as whoever asked named the place. */
export function shownFiles(run: Run, place: Place, stem: string, save: readonly OutputName[]) {
  const { shown } = taskOf(run);
  const shownAs = (name: string): string => (isRemote(shown) ? place.addressOf(name) : join(shown, name));
  return Object.fromEntries(Array.from(namesOf(stem, save), ([kind, name]) => [kind, shownAs(name)]));
}
