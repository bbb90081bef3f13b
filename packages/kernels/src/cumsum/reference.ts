import { at, build, type Nd, range, replaced } from "../nd.js";

/** Every value with all before it along a dim. */
export const cumsum = (x: Nd, dim: number): Nd =>
  build(x.shape, (index) => range(index[dim]! + 1).reduce((sum, i) => sum + at(x, replaced(index, dim, i)), 0));
