export type { Backbone, BackboneBuilder } from "./backbones/backbone.js";
export * as backbones from "./backbones/index.js";
export { GraphBuilder } from "./graph/builder.js";
export { dilate } from "./graph/dilate.js";
export {
  describeGraph,
  type FeatureShape,
  type Geometry,
  geometryOf,
  inferShapes,
  type NodeSummary,
  type Plane,
} from "./graph/geometry/shapes.js";
export { GraphNet, type NetOutput } from "./graph/net.js";
export { coarsestStride, type GraphOrNet, reachOf } from "./graph/geometry/reach.js";
export { scoreLayers } from "./graph/scoreLayers.js";
export type { ConvInit, Extent, Graph, Layer, Node, PaddedWindow, Padding, Window } from "./graph/spec.js";
export { subgraph } from "./graph/subgraph.js";
export { buildFcn, type FcnOptions } from "./heads/fcn.js";
export * as heads from "./heads/index.js";
export type { Skip } from "./heads/skip.js";
export type { ModelOptions, Resolved as ResolvedModelOptions } from "./options.js";
export { create, describe, graphOf, list, type SeveralHeads } from "./registry.js";
