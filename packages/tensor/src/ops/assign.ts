import { inOrder, Tensor } from "../core/tensor.js";
import { invalidShape, otherDevice, show } from "../plain/errors.js";
import { hostValues } from "../plain/hostValues.js";
import { type HostNumbers, narrowed } from "../plain/nested.js";
import { sameShape } from "../plain/shape.js";
import { converted } from "./cast.js";

/** Copies another tensor, converted as `to` does, or host data in row-major order, into the memory of `target`. */
export function assign(target: Tensor, source: Tensor | HostNumbers): void {
  if (source instanceof Tensor) assignTensor(target, source);
  else assignValues(target, source);
}

function assignTensor(target: Tensor, source: Tensor): void {
  const { runtime, shape, dtype, order, storage } = target;
  if (source.runtime !== runtime) throw otherDevice("assign", source.shape);
  if (!sameShape(source.shape, shape)) {
    throw invalidShape(
      `assign: source has shape ${show(source.shape)}, target ${show(shape)}`,
      "assign a tensor of the same shape",
    );
  }
  using values = converted(source, dtype);
  using stored = inOrder(values, order);
  // WebGPU refuses to copy a buffer onto itself.
  if (stored.storage === storage) return;
  runtime.copy(stored, target);
  target.bumpVersion();
}

function assignValues(target: Tensor, source: HostNumbers): void {
  if (source.length !== target.size) {
    throw invalidShape(
      `assign: ${source.length} values for shape ${show(target.shape)}`,
      "pass as many values as the tensor has elements",
    );
  }
  const { runtime, shape, dtype } = target;
  const values = hostValues("assign", narrowed(source), dtype, runtime.engine.options.nanCheck);
  // A direct write would overtake recorded work that still reads or fills the target.
  using staged = Tensor.empty(runtime, shape, { dtype: dtype === "int32" ? dtype : "float32", tracked: false });
  runtime.engine.write(staged.storage, values);
  assignTensor(target, staged);
}
