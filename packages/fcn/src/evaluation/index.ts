export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type HeadScoring,
  type SampleSource,
} from "./evaluate.js";
export { COCO_SIZES, type SizeScores } from "./objectSizes.js";
export type { BoardScores, BoundaryOptions, BoundaryScores } from "./scoreboard.js";
