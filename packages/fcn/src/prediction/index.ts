export type { Prediction } from "./enqueue.js";
export { type LabelFeature, type LabelGeoJson, toGeoJson } from "./geojson.js";
export type { InferenceOptions } from "./options.js";
export type { Picture, RgbaPicture } from "./picture.js";
export { type LabelPolygon, type PolygonOptions, type Position, type Ring, tracePolygons } from "./polygons.js";
export { type NetOrLoaded, type PredictionResult, type PredictOptions, predict, predictAll } from "./predict.js";
export type { LabelMap } from "./regions.js";
export type { TileOptions } from "./tiling.js";
