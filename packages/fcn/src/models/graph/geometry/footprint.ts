import { type Graph, lastUses } from "../spec.js";
import { geometryOf } from "./shapes.js";

/**
 * Bytes of the features that the forward pass of one image holds at once, at the worst moment: each layer's output
 * beside what later layers still need. A function of the image's size, which throws where the image is too small for
 * the net.
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
