export { GraphBuilder } from "./graph/builder.js";
export { type FeatureShape, inferShapes, type NodeSummary } from "./graph/geometry.js";
export { GraphNet } from "./graph/net.js";
export type { ConvInit, Extent, Graph, Layer, Node, Window } from "./graph/spec.js";
export type { ModelOptions } from "./options.js";
export { create, describe, graphOf, list } from "./registry.js";
