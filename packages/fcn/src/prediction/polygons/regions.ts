import { TensorError } from "@fcn/tensor";

/** A label map with one label per pixel, row by row. */
export interface LabelMap {
  readonly labels: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/** Connected regions: pixels of one label that share an edge. */
export interface Regions {
  /** The region of each pixel: 0, 1, 2, … in row order. */
  readonly ids: Int32Array;
  /** For each region. */
  readonly labels: readonly number[];
  readonly areas: readonly number[];
}

/** Finds the regions of a label map in two passes with union-find (Rosenfeld and Pfaltz 1966). */
export function findRegions({ labels, height, width }: LabelMap): Regions {
  if (labels.length !== height * width) {
    throw new TensorError({
      code: "invalid-shape",
      message: `polygons: ${labels.length} labels for a map of ${height}x${width}`,
      fix: "pass one label a pixel",
    });
  }
  const parents = new Int32Array(height * width);
  const rootOf = (at: number): number => {
    let root = at;
    while (parents[root] !== root) {
      parents[root] = parents[parents[root]!]!;
      root = parents[root]!;
    }
    return root;
  };
  for (let i = 0; i < parents.length; i++) {
    const left = i % width > 0 && labels[i - 1] === labels[i] ? rootOf(i - 1) : i;
    const above = i >= width && labels[i - width] === labels[i] ? rootOf(i - width) : left;
    // Roots are the first pixels of their regions.
    parents[i] = Math.min(left, above);
    parents[Math.max(left, above)] = parents[i]!;
  }
  const ids = new Int32Array(parents.length);
  const [found, areas]: [number[], number[]] = [[], []];
  for (let i = 0; i < parents.length; i++) {
    const root = rootOf(i);
    const id = root === i ? found.push(labels[i]!) - 1 : ids[root]!;
    ids[i] = id;
    areas[id] = (areas[id] ?? 0) + 1;
  }
  return { ids, labels: found, areas };
}
