export type { Checked } from "./check.js";
export type { Checksum, PackagedModel, PublishedFile, PublishedWeights, WeightsEntry } from "./entry.js";
export { type FetchedWeights, type FetchOptions, type FetchProgress, fetchWeights } from "./fetchWeights.js";
export { describeWeights, listWeights } from "./registry.js";
