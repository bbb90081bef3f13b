export {
  checkImage,
  checkSample,
  mirrorSample,
  type RasterImage,
  type SegmentationSample,
  VOID_LABEL,
} from "../labels/sample.js";
export { augmentSample, type SampleKey } from "./augment/augment.js";
export type { Augmentation, ColourJitter } from "./augment/augmentation.js";
export {
  type CheckOptions,
  check,
  type DataReport,
  type LevelSummary,
  type LevelsByDepth,
  type SplitSummary,
} from "./check/check.js";
export { type ContactSheetOptions, contactSheet } from "./check/contactSheet.js";
export {
  type CompositeOptions,
  type CompositeSource,
  type Cutout,
  composeEach,
  composeSamples,
} from "./composite/compose.js";
export { type CompositeFolders, type LoadedComposite, loadComposite } from "./composite/load.js";
export type { RgbaImage } from "./composite/raster.js";
export { type CompositeSplit, type CompositeSplitOptions, splitComposite } from "./composite/split.js";
export { type DecodedImage, decodeImage } from "./decode/image.js";
export type { EncodedImage } from "./decode/imageBytes.js";
export { decodeMask } from "./decode/mask.js";
export type { PaintSize, PartProblem, PartWarning, PartWords, SkippedPart } from "./decode/parts.js";
export type { PixelDepth, PixelLevels, PixelRange, PixelScale } from "./decode/pixelScale.js";
export { type DecodedPng, decodePng } from "./decode/png.js";
export { indexRule, type LabelPlane, type LabelRule, type StrayKey } from "./decode/rule.js";
export type { ToldError } from "./files/errors.js";
export type { StatedSize } from "./files/numbers.js";
export type { DataRemark } from "./files/remarks.js";
export type { PairOptions } from "./folder/pairs.js";
export type { SplitOptions } from "./folder/splits.js";
export { type FolderContent, writeFolder } from "./folder/write.js";
export type { CocoOptions } from "./layouts/coco.js";
export { type LayoutName, type LayoutOptions, layouts } from "./layouts/index.js";
export type { LabelmeOptions } from "./layouts/labelme.js";
export type { NyudOptions } from "./layouts/nyud.js";
export type { ContextOptions } from "./layouts/pascalContext.js";
export { seg11valid, type VocOptions } from "./layouts/voc.js";
export { DataLoader, type LoadedBatch } from "./loader/loader.js";
export type { LoaderOptions, LoaderState } from "./loader/loaderOptions.js";
export { type EpochOptions, planEpoch, type SampleOrder } from "./loader/plan.js";
export { type LoadVocOptions, loadVoc, type VocData } from "./loadVoc.js";
export type { Numbers as MatNumbers } from "./mat/cursor.js";
export {
  type MatCell,
  type MatNumeric,
  type MatOther,
  type MatStruct,
  type MatText,
  type MatValue,
  readMat,
} from "./mat/read.js";
export type { RangeOptions } from "./open/imageRange.js";
export type { InspectOptions } from "./open/inspectAll.js";
export { open } from "./open/open.js";
export type { CommonOptions, OpenOptions } from "./open/openOptions.js";
export {
  CONTEXT_33,
  CONTEXT_59,
  NYUD_CLASSES,
  SIFT_FLOW_CLASSES,
  SIFT_FLOW_GEOMETRIC,
  VOC_CLASSES,
} from "./published/classNames.js";
export {
  CONTEXT_MEAN,
  IMAGENET_MEAN,
  NYUD_MEANS,
  type NyudInput,
  PREPROCESSINGS,
  SIFT_FLOW_MEAN,
  VOC_MEAN,
} from "./published/means.js";
export { createRandom, type RandomSource, shuffledIndices } from "./random.js";
export {
  BatchSampler,
  type BatchSamplerOptions,
  type HostBatch,
  stackSamples,
  type TensorBatch,
  toTensors,
} from "./samples/batches.js";
export { type BoundaryBandOptions, boundaryBand, boundarySquares, voidEdges } from "./samples/boundary.js";
export {
  type Classes,
  fileDataset,
  type LeftOut,
  loadAll,
  type OpenedData,
  type SegmentationDataset,
  sampleDataset,
  subset,
} from "./samples/dataset.js";
export { type ImagePart, type LabelSource, loadItem, type SampleItem } from "./samples/item.js";
export { measurePreprocessing, normaliseInto, type Preprocessing } from "./samples/preprocessing.js";
export { countLabels, cutSample, type Rectangle, tilePositions } from "./samples/tiles.js";
export type { CocoInstance, CocoLabels, CocoOverlap } from "./shapes/coco.js";
export type { LabelmeLabels } from "./shapes/labelme.js";
export type { RunLengths } from "./shapes/rle.js";
export type { HostSamples, SampleFailure } from "./workers/makeBatch.js";
export type { WorkerOptions } from "./workers/pool.js";
