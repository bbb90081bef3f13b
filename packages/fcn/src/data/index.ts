export {
  BatchSampler,
  type BatchSamplerOptions,
  type HostBatch,
  stackSamples,
  type TensorBatch,
  toTensors,
} from "./batches.js";
export { type BoundaryBandOptions, boundaryBand, boundarySquares, voidEdges } from "./boundary.js";
export {
  type CompositeOptions,
  type CompositeSource,
  type Cutout,
  composeSamples,
} from "./composite/compose.js";
export { type CompositeFolders, type LoadedComposite, loadComposite } from "./composite/load.js";
export type { RgbaImage } from "./composite/raster.js";
export { type CompositeSplit, type CompositeSplitOptions, splitComposite } from "./composite/split.js";
export { EARTH_CLASSES, EARTH_THRESHOLDS, type EarthThresholds, earthLabels } from "./earth/labels.js";
export {
  EARTH_SPLIT,
  type EarthSamples,
  type EarthSplitOptions,
  earthTilePositions,
  isWorthKeeping,
  type LongitudeBand,
  splitEarth,
} from "./earth/split.js";
export { measurePreprocessing, normaliseInto, type Preprocessing } from "./preprocessing.js";
export { createRandom, type RandomSource, shuffledIndices } from "./random.js";
export {
  checkImage,
  checkSample,
  mirrorSample,
  type RasterImage,
  type SegmentationSample,
  VOID_LABEL,
} from "./sample.js";
export { countLabels, cutSample, type Rectangle, tilePositions } from "./tiles.js";
