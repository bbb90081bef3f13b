import { type BackwardOptions, runBackward } from "./core/autograd.js";
import { full } from "./core/create.js";
import { checkGradient, type Tensor } from "./core/tensor.js";
import { assign } from "./ops/assign.js";
import { converted, to } from "./ops/cast.js";
import { permute, reshape } from "./ops/view.js";
import { invalidArgument, show } from "./plain/errors.js";
import type { HostNumbers } from "./plain/nested.js";
import type { DType } from "./plain/types.js";

/**
 * The methods of tensors that are ops. The Tensor class cannot import the ops, which are built on it, so the device
 * adds them to it. Without `Disposable` the compiler loses the class's `[Symbol.dispose]` in this augmentation.
 */
export interface TensorMethods extends Disposable {
  /** The same elements in row-major order with another shape (torch.Tensor.reshape). One size may be -1. */
  reshape(shape: readonly number[]): Tensor;

  /** The dimensions in another order (torch.Tensor.permute). */
  permute(dims: readonly number[]): Tensor;

  /**
   * Converts to another dtype (torch.Tensor.to). To int32, fractions are cut off, values out of range become the
   * nearest int32 and NaN becomes 0; to float16, they are rounded. Conversions between floats have a gradient.
   */
  to(dtype: DType): Tensor;

  /**
   * Adds the gradient of this tensor to the `grad` of every leaf that it depends on (torch.Tensor.backward). `gradient`
   * is required unless this tensor has one element. Frees saved activations unless `retainGraph` is set. Throws
   * `no-gradient` if no leaf has `requiresGrad`.
   */
  backward(gradient?: Tensor, options?: BackwardOptions): void;

  /**
   * Copies values of the same shape into this tensor's memory (torch.Tensor.copy_): those of another tensor, converted
   * as `to` does, or host data in row-major order.
   */
  assign(source: Tensor | HostNumbers): void;
}

function backward(root: Tensor, gradient: Tensor | undefined, options: BackwardOptions): void {
  const { runtime, shape, dtype } = root;
  runtime.engine.assertUsable("backward");
  if (root.disposed) throw runtime.scopes.disposed(root, `backward: a tensor of shape ${show(shape)}`);
  if (!gradient && root.size !== 1) {
    throw invalidArgument(`backward: a tensor of shape ${show(shape)} needs the gradient of its elements`, {
      code: "reduce it to one number with sum() or mean(), or pass a gradient of the same shape",
    });
  }
  if (gradient) checkGradient("backward", gradient, root);
  const seed = gradient ? converted(gradient, dtype) : full("full", runtime, shape, 1, { dtype, tracked: false });
  runBackward(root, seed, options);
}

export const tensorMethods: Omit<TensorMethods, typeof Symbol.dispose> & ThisType<Tensor> = {
  reshape(shape) {
    return reshape(this, shape);
  },
  permute(dims) {
    return permute(this, dims);
  },
  to(dtype) {
    return to(this, dtype);
  },
  backward(gradient, options = {}) {
    backward(this, gradient, options);
  },
  assign(source) {
    assign(this, source);
  },
};
