import { TensorError } from "@fcn/tensor";
import { nodeModule } from "@fcn/tensor/internal";
import { findNonFinite } from "../../models/file/finite.js";
import type { SegmentationNet } from "../../models/segmentationNet.js";
import { bothWays } from "../remedies.js";
import { onImages, steadier } from "../train.js";
import { checkpoints } from "./state/checkpoint.js";
import { RUN_FILES } from "./state/result.js";

const { join } = nodeModule("trainRun", "node:path");

/**
 * Throws `diverged` if a value of the net is NaN or infinite, because such a net must be neither scored nor kept.
 * `names` are the images of the last step, whose update may have caused it; the loss was computed before that update.
 */
export async function checkFinite(
  model: SegmentationNet,
  out: string,
  { step, names = [] }: { readonly step: number; readonly names?: readonly string[] | undefined },
): Promise<void> {
  const found = await findNonFinite(model);
  if (found === undefined) return;
  const kept = (await checkpoints(join(out, RUN_FILES.checkpoint))).at(-1);
  const weights = join(out, RUN_FILES.last);
  const next = (option: string): string =>
    kept === undefined ? "" : `; the weights of step ${kept} can start a run in another folder: ${option}`;
  throw new TensorError({
    code: "diverged",
    message: `train: ${found} holds NaN or infinity after step ${step}${onImages(names)}`,
    fix: bothWays((say) => `${steadier(say)}${next(say(`weights: "${weights}"`, `--weights ${weights}`))}`),
  });
}
