export type { Prediction } from "./enqueue.js";
export type { NetOrLoaded, NetOrNets } from "./ensemble.js";
export type { ImageInput } from "./image.js";
export type { InferenceOptions, Precision } from "./inferenceOptions.js";
export { type LabelFeature, type LabelGeoJson, toGeoJson } from "./polygons/geojson.js";
export {
  type LabelPolygon,
  type PolygonOptions,
  type Position,
  type Ring,
  tracePolygons,
} from "./polygons/polygons.js";
export type { LabelMap } from "./polygons/regions.js";
export { type PredictionResult, type PredictOptions, predict, predictAll } from "./predict.js";
export {
  type CanvasView,
  type PredictionView,
  type ShowPredictionOptions,
  showPrediction,
} from "./show/showPrediction.js";
export type { TileOptions } from "./tiling.js";
