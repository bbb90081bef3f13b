/** What `fcn.models` holds: the models, and what is known of each together with its published weights. */
export * from "../models/index.js";
export { type InfoOptions, info, type ModelInfo } from "./info.js";
