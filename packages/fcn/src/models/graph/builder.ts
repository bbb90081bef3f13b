import { invalidArgument } from "@fcn/tensor/internal";
import type { Layer } from "./kinds/index.js";
import type { Graph, Node } from "./spec.js";

/** Collects nodes in order and checks that names are unique and inputs exist. */
export class GraphBuilder {
  readonly #name: string;
  readonly #nodes: Node[] = [];
  readonly #names = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  /**
   * Appends a node and returns its name, for use as another node's input. Throws `invalid-argument` for a name that is
   * taken or an unknown input.
   */
  add(name: string, layer: Layer, ...inputs: string[]): string {
    const missing = inputs.find((input) => !this.#names.has(input));
    if (missing !== undefined || this.#names.has(name)) {
      const problem =
        missing === undefined
          ? `two nodes are called ${name}`
          : `${name} takes its input from ${missing}, which does not exist yet`;
      throw invalidArgument(`graph ${this.#name}: ${problem}`, "give every node one name, after its inputs");
    }
    this.#names.add(name);
    this.#nodes.push({ name, layer, inputs });
    return name;
  }

  /** The nodes so far as a graph with the given heads. */
  build(outputs: Readonly<Record<string, string>> = {}): Graph {
    return { name: this.#name, nodes: [...this.#nodes], outputs };
  }
}
