import { openPlace } from "../../../places/open.js";
import type { Roots } from "../../../places/roots.js";
import type { Run, TakenChunk } from "../../runs/spec.js";
import * as store from "../../runs/store.js";
import type { Kind } from "../kind.js";
import type { Session } from "../session.js";
import { predictChunk } from "./chunk.js";
import { type PlannedScene, type PredictPart, RunFiles } from "./files.js";
import { finishPrediction } from "./finish.js";
import { nextItems, workOnScenes } from "./scenes.js";
import { taskOf } from "./task.js";

async function filesOf(run: Run, roots?: Roots): Promise<RunFiles> {
  const { out } = taskOf(run);
  await roots?.check(out);
  return new RunFiles(await openPlace(out), run.id);
}

export const PREDICT: Kind = {
  async work(run, chunk, session, connection) {
    const files = await session.kept(`files of ${run.id}`, () => filesOf(run, session.roots));
    const part = await predictPart(run, chunk, session, files);
    await files.writePart(chunk.k, part);
    // What others removed with a run that ended meanwhile would come back for good.
    if (await store.hasEnded(connection, run.id)) await files.removePart(chunk);
    // That there are scenes decides what comes next, for which not all files should have to be read.
    return part.scenes && part.scenes.length > 0 ? part.scenes : undefined;
  },

  async advance(run, session, connection) {
    const files = await filesOf(run, session.roots);
    const list = (await files.readScenes()) ?? { scenes: [], total: run.total };
    // Whoever wrote it may have died before it told of the items.
    if (list.total > run.total) return { total: list.total };
    const planned = ((await store.partsOf(connection, run.id)) as PlannedScene[][]).flat();
    const aside = await store.asideChunks(connection, run.id);
    const next = nextItems(list, planned, aside);
    if (next === undefined) return { result: await finishPrediction(run, files, list, aside) };
    await files.writeScenes(next);
    return { total: next.total };
  },

  async cleanUp(run, roots) {
    const files = await filesOf(run, roots);
    await files.clear(taskOf(run).images, run.chunks, run.spec.weights.length);
    if (run.state === "cancelled") await files.removeReport();
  },
};

/** Predicts the images of a chunk, or does what it has of scenes. */
async function predictPart(run: Run, chunk: TakenChunk, session: Session, files: RunFiles): Promise<PredictPart> {
  if (chunk.from >= taskOf(run).images) return workOnScenes(run, chunk, session, files);
  const images = await files.readList(chunk.from, chunk.to);
  return predictChunk(run, chunk, images, session, files.place);
}
