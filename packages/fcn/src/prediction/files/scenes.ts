import { TensorError } from "@fcn/tensor";
import type { DataRemark } from "../../data/files/remarks.js";
import type { Colour } from "../../labels/colours.js";
import type { Inference } from "../inference.js";
import { joinRegions } from "../scene/join.js";
import { planScene, type ScenePlan } from "../scene/plan.js";
import { predictRegion } from "../scene/region.js";
import type { Windows } from "../scene/windows.js";
import type { TileOptions } from "../tiling.js";
import {
  classShares,
  countLabels,
  encodeSummary,
  type ImageSummary,
  type OutputFolder,
  type OutputName,
  type OutputNames,
} from "./outputs.js";

/** What is written of an image unless it is said: what shows the most. */
export const SAVED: readonly OutputName[] = ["labels", "overlay"];
/** What can be written of a scene, of which nothing is held whole. */
const OF_SCENES: readonly OutputName[] = ["labels", "summary"];

/** What the scenes of a run have in common. */
export interface SceneRun {
  readonly inference: Inference;
  readonly options: TileOptions;
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
  readonly folder: OutputFolder;
  /** What to write; undefined for the usual. */
  readonly save: readonly OutputName[] | undefined;
  /** About how many pixels are predicted together. */
  readonly pixels?: number | undefined;
}

export interface WrittenScene {
  readonly summary: ImageSummary;
  readonly files: Partial<Record<OutputName, string>>;
  readonly plan: ScenePlan;
}

/** How a scene is predicted. Throws for what cannot be written of it. */
export function planOf(
  {
    inference,
    options: { tile, overlap },
    save = ["labels"],
    pixels,
  }: Pick<SceneRun, "inference" | "options" | "save" | "pixels">,
  input: string,
  windows: Windows,
): ScenePlan {
  checkSaved(input, windows, save);
  return planScene(inference, windows, { tile, overlap, ...(pixels && { pixels }) });
}

/** Predicts a scene region by region, and writes its results as they come. Throws for what cannot be written of it. */
export async function writeScene(
  run: SceneRun,
  input: string,
  names: OutputNames,
  windows: Windows,
): Promise<WrittenScene> {
  const { inference, classes, palette, folder, save = ["labels"] } = run;
  const { height, width } = windows;
  const plan = planOf(run, input, windows);
  const counts = new Float64Array(256);
  let tiles = 0;
  const pieces = joinRegions(plan, palette, async (region) => {
    const found = await predictRegion(inference, windows, plan, region);
    tiles += found.tiles;
    countLabels(found.labels, counts);
    return found.labels;
  });
  const wanted = new Map([...names].filter(([kind]) => save.includes(kind)));
  const [labels, facts] = [wanted.get("labels"), wanted.get("summary")];
  // Without a file for the labels they are counted all the same.
  if (labels === undefined) for await (const _ of pieces);
  else await folder.put(labels, pieces);
  const summary = { input, height, width, tiles, classes: classShares(counts, classes) };
  if (facts !== undefined) await folder.put(facts, encodeSummary(summary));
  return { summary, files: folder.addresses(wanted), plan };
}

function checkSaved(input: string, { height, width }: Windows, save: readonly OutputName[]): void {
  const others = save.filter((kind) => !OF_SCENES.includes(kind));
  if (others.length === 0) return;
  const rest = save.filter((kind) => OF_SCENES.includes(kind));
  const kept = rest.length > 0 ? rest : ["labels"];
  throw new TensorError({
    code: "unsupported",
    message: `${input}: of a scene of ${height}x${width} pixels (height x width), which is not held whole, ${others.join(" and ")} cannot be written`,
    fix: {
      code: `pass save: ${JSON.stringify(kept)}, or cut the image into smaller ones`,
      command: `pass --save ${kept.join(",")}, or cut the image into smaller ones`,
    },
  });
}

/** What should be known of a scene's labels. */
export function sceneRemark(
  file: string,
  { plan: { tile, overlap }, summary }: Pick<WrittenScene, "plan" | "summary">,
  saved: readonly string[],
): DataRemark {
  const written = saved.join(" and ");
  const text = `it is too large to be held, so that it was predicted in ${summary.tiles} tiles of ${tile.join("x")} pixels that share ${overlap}, and of results has ${written} alone`;
  return { level: "note", code: "scene", file, text };
}

/**
 * Results of inputs in their order: those of images, and of each scene once all images before it have theirs. What is
 * `open` for an input is a scene, and is closed here; a scene that cannot be opened is told by `predictScene`.
 */
export async function* inOrder<Input, Image, Scene>(
  inputs: readonly Input[],
  open: (input: Input) => Promise<Windows | undefined>,
  predictImages: (inputs: AsyncIterable<Input>) => AsyncIterable<Image>,
  predictScene: (input: Input, opened: Promise<Windows>) => Promise<Scene>,
): AsyncGenerator<Image | Scene> {
  const left = inputs.values();
  const found: { readonly input: Input; readonly opened: Promise<Windows> }[] = [];
  const images = async function* (): AsyncGenerator<Input> {
    for (let { value, done } = left.next(); !done; { value, done } = left.next()) {
      const input = value as Input;
      const opened = open(input);
      const isScene = await opened.then(
        (windows) => windows !== undefined,
        () => true,
      );
      if (isScene) {
        found.push({ input, opened: opened as Promise<Windows> });
        return;
      }
      yield input;
    }
  };
  for (let isLast = false; !isLast; ) {
    try {
      yield* predictImages(images());
      for (const { input, opened } of found) yield await predictScene(input, opened);
      isLast = found.length === 0;
    } finally {
      for (const { opened } of found.splice(0)) await opened.then((windows) => windows.close()).catch(() => undefined);
    }
  }
}
