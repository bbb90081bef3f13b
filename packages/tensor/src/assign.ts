import type { Engine } from "./device/engine.js";
import { invalidShape, show } from "./errors.js";
import { hostValues } from "./hostValues.js";
import { inOrder } from "./layout.js";
import { narrowed } from "./nested.js";
import { converted } from "./ops/cast.js";
import { sameShape } from "./shape.js";
import type { Tensor } from "./tensor.js";

/** Copies the values of `source`, converted as by `to`, into the memory of `target`. */
export function assignTensor(engine: Engine, target: Tensor, source: Tensor): void {
  if (!sameShape(source.shape, target.shape)) {
    throw invalidShape(
      `assign: source has shape ${show(source.shape)}, target ${show(target.shape)}`,
      "assign a tensor of the same shape",
    );
  }
  using values = converted(source, target.dtype);
  using stored = inOrder(values, target.order);
  // The same memory in the same order: a copy onto itself, which WebGPU refuses.
  if (stored.storage === target.storage) return;
  engine.copy(stored.storage, target.storage, target.size * 4);
  target.bumpVersion();
}

/** Copies host data in row-major order into the memory of `target`. */
export function assignValues(engine: Engine, target: Tensor, source: ArrayLike<number>): void {
  if (source.length !== target.size) {
    throw invalidShape(
      `assign: ${source.length} values for shape ${show(target.shape)}`,
      "pass as many values as the tensor has elements",
    );
  }
  const { dtype } = target;
  const values = hostValues("assign", narrowed(source), dtype, engine.options.nanCheck);
  // A direct write would overtake recorded work that still reads or fills the target.
  using staged = target.device.empty(target.shape, { dtype, tracked: false });
  engine.write(staged.storage, values);
  assignTensor(engine, target, staged);
}
