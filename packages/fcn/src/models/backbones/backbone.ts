/** What a backbone offers to a head: names of nodes in the graph. */
export interface Backbone {
  /** Intermediate features by the name that score layers use (`pool3`, `pool4`, or `layer2`, `layer3`). */
  readonly stages: Readonly<Record<string, string>>;
  /** The deepest features. */
  readonly top: string;
}
