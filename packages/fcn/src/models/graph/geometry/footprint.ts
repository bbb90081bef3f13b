import { type Graph, lastUses } from "../spec.js";
import { geometryOf } from "./shapes.js";

/**
 * Peak bytes of the features in one image's forward pass: each layer's output together with what later layers still
 * need. Returns a function of the image's size, which throws if the image is too small for the net.
 */
export function footprintOf(graph: Graph): (height: number, width: number) => number {
  const geometry = geometryOf(graph);
  const lastUse = lastUses(graph);
  return (height, width) => {
    const { shapes } = geometry(height, width);
    const live = new Map<string, number>();
    let peak = 0;
    graph.nodes.forEach(({ name, inputs }, index) => {
      const [channels, h, w] = shapes.get(name) as readonly [number, number, number];
      live.set(name, channels * h * w * 4);
      peak = Math.max(
        peak,
        [...live.values()].reduce((sum, bytes) => sum + bytes, 0),
      );
      for (const used of [name, ...inputs]) if (lastUse.get(used) === index) live.delete(used);
    });
    return peak;
  };
}
