/** A layer without parameters that follows a convolution. */
export type Follower = "relu" | "pool" | "norm" | "drop";

/** Names the layer of kind `follower` after the layer called `layer`. */
export type NameAfter = (layer: string, follower: Follower) => string;

/** Caffe's names: relu1_1 after conv1_1, drop6 after fc6. */
export const caffeNameAfter: NameAfter = (layer, follower) => layer.replace(/^(conv|fc)/, follower);

const STEPS: Readonly<Record<Follower, number>> = { relu: 1, pool: 2, drop: 2, norm: 3 };

/** Names of an `nn.Sequential`, which counts its modules: features.1 and features.2 after features.0. */
export const sequentialNameAfter: NameAfter = (layer, follower) =>
  layer.replace(/\d+$/, (index) => String(Number(index) + STEPS[follower]));
