import type { GraphBuilder } from "../graph/builder.js";

/** What a backbone offers to a head: names of nodes in the graph. */
export interface Backbone {
  /**
   * Intermediate features by the name that score layers use (`pool3`, `pool4`, or `layer2`, `layer3`), in the order of
   * the net. Of several stages with the same stride, a skip takes the last.
   */
  readonly stages: Readonly<Record<string, string>>;
  /** The deepest features. */
  readonly top: string;
}

/** Appends a backbone after the node `input`. */
export type BackboneBuilder = (builder: GraphBuilder, input: string) => Backbone;
