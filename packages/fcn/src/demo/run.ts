import { join } from "node:path";
import { createDevice, type Device, TensorError } from "@fcn/tensor";
import { measurePreprocessing } from "../data/samples/preprocessing.js";
import { predictSamples } from "../evaluation/evaluate.js";
import { makeFolder } from "../files/write.js";
import type { SegmentationSample } from "../labels/sample.js";
import { loadModel, type ModelMetadata, saveModel } from "../models/file/weightsFile.js";
import type { SegmentationNet } from "../models/segmentationNet.js";
import { predict } from "../prediction/predict.js";
import type { StageView } from "../progress/stages.js";
import { type StageResult, trainStaged } from "../training/staged.js";
import { EARTH_CLASSES } from "./earth/labels.js";
import { loadEarth } from "./earth/load.js";
import type { EarthSamples } from "./earth/split.js";
import { coastTiles, comparisonPanels, reloadedPanel, type StageImages } from "./images.js";
import { COAST, DEMO_COLOURS, type DemoOptions, type DemoRecipe, demoRecipe, weightsFile } from "./recipe.js";
import { demoScores, majorityBaseline } from "./scores.js";
import { type DemoSummary, summarise, writeReports } from "./summary.js";

const NUM_CLASSES = EARTH_CLASSES.length;
const PANEL_TILES = 5;
const VALIDATIONS_PER_STAGE = 4;
const EVALUATION = { batchSize: 6, boundary: COAST };

/** Receives the progress of the demo. */
export interface DemoView {
  readonly stages: StageView;
  line(text: string): void;
}

/** Everything one run needs to keep. */
interface Run {
  readonly options: DemoOptions;
  readonly view: DemoView;
  readonly device: Device;
  readonly recipe: DemoRecipe;
  readonly samples: EarthSamples;
  readonly tiles: readonly SegmentationSample[];
  readonly metadata: Omit<ModelMetadata, "model">;
}

/**
 * Runs the whole workflow on real imagery. Prepares the data; trains FCN-32s, 16s and 8s in stages; scores each against
 * the baseline; writes images, report and weights into `options.out`; and predicts a held-back tile from the last
 * weights file.
 */
export async function runDemo(options: DemoOptions, view: DemoView): Promise<DemoSummary> {
  const start = performance.now();
  const samples = await loadEarth();
  await makeFolder("demo", options.out);
  view.line(
    `tiles of 128 x 128 pixels: ${samples.train.length} to train, ${samples.validation.length} held back by longitude`,
  );
  const device = await createDevice({ adapter: options.adapter ?? "auto" });
  try {
    const run = prepare(options, view, device, samples);
    const images: StageImages[] = [];
    const stages = await trainStages(run, images);
    const everywhere = { numClasses: NUM_CLASSES, boundary: COAST };
    const baseline = majorityBaseline(samples.train, samples.validation, everywhere);
    const panels = await comparisonPanels(run.tiles, images);
    const reload = await checkReload(run, stages, images);
    const summary = summarise({ ...run, stages, baseline, reload, seconds: (performance.now() - start) / 1000 });
    await writeReports(summary, { stages, panels, predicted: reload.image, adapter: device.info, out: options.out });
    return summary;
  } finally {
    device.destroy();
  }
}

function prepare(options: DemoOptions, view: DemoView, device: Device, samples: EarthSamples): Run {
  const recipe = demoRecipe(options, NUM_CLASSES);
  const metadata = {
    options: recipe.modelOptions,
    classes: EARTH_CLASSES,
    palette: DEMO_COLOURS,
    preprocessing: measurePreprocessing(samples.train),
  };
  return { options, view, device, recipe, samples, tiles: coastTiles(samples.validation, PANEL_TILES), metadata };
}

function trainStages(run: Run, images: StageImages[]): Promise<StageResult[]> {
  const { options, view, device, recipe, samples, metadata } = run;
  return trainStaged({
    device,
    stages: recipe.stages,
    modelOptions: recipe.modelOptions,
    data: samples.train,
    validation: samples.validation,
    preprocessing: metadata.preprocessing,
    batchSize: recipe.batchSize,
    seed: options.seed,
    readEvery: Math.max(1, Math.min(10, Math.floor(options.steps / VALIDATIONS_PER_STAGE))),
    evaluation: EVALUATION,
    validations: VALIDATIONS_PER_STAGE,
    onStageStart: (stage) => view.stages.start(stage.modelName, stage.steps),
    onProgress: (_, progress) => view.stages.progress(progress),
    onValidation: (_, step, evaluation) => view.stages.validation(step, evaluation.meanIU),
    onStageEnd: async (result, model) => {
      view.stages.end();
      images.push(await finishStage(run, result, model));
    },
  });
}

/** Saves the weights of a stage and predicts the tiles of the comparison. */
async function finishStage(run: Run, result: StageResult, model: SegmentationNet): Promise<StageImages> {
  const { modelName } = result.stage;
  await saveModel(join(run.options.out, weightsFile(result.stage)), model, { ...run.metadata, model: modelName });
  const { preprocessing } = run.metadata;
  const predictions = await predictSamples(model, run.tiles, { preprocessing });
  const { coastAccuracy } = demoScores(result.evaluation);
  return { title: modelName.replace(/^fcn(\d+s)-.*$/, "FCN-$1"), coastAccuracy, predictions };
}

/**
 * Predicts a held-back tile with the last net, read back from its file. Its labels must equal those of the trained net.
 */
async function checkReload(run: Run, stages: readonly StageResult[], images: readonly StageImages[]) {
  const file = weightsFile((stages.at(-1) as StageResult).stage);
  const path = join(run.options.out, file);
  const { model, metadata } = await loadModel(path, run.device);
  const tile = run.tiles[0] as SegmentationSample;
  const { preprocessing } = metadata;
  const { labels } = await predict(model, tile.image, { preprocessing });
  model.dispose();
  const expected = images.at(-1)?.predictions[0] as Uint8Array;
  const different = labels.reduce((count, label, i) => count + (label === expected[i] ? 0 : 1), 0);
  if (different > 0) {
    throw new TensorError({
      code: "reload-mismatch",
      message: `demo: the net read back from ${path} labels ${different} of ${labels.length} pixels of tile ${tile.name} differently from the net in memory`,
      fix: "this is a defect of the library: report it, with the adapter that fcn doctor shows",
    });
  }
  run.view.line(`read back ${path}: tile ${tile.name} gets exactly the labels of the net in memory`);
  return { file, tile: tile.name, image: await reloadedPanel(tile, labels, file) };
}
