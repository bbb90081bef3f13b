import { planFlat } from "@fcn/kernels";
import * as rows from "@fcn/kernels/pointwise";
import { defect, show, TensorError } from "../plain/errors.js";
import { sameShape } from "../plain/shape.js";
import type { DType } from "../plain/types.js";
import { planned } from "./planned.js";
import { type Backward, type Maybe, nodeOf, TapeNode } from "./tape.js";
import { copyOf, floatsOf, inOrder, Tensor } from "./tensor.js";

/** Calls of noGrad that have not ended. A count, since async calls may end in any order. */
let openNoGrads = 0;

/**
 * Runs `fn` without recording gradients (torch.no_grad). If `fn` is async, recording stays off for the whole device
 * until its promise settles, so do not train while one is pending.
 */
export function noGrad<T>(fn: () => T): T {
  openNoGrads++;
  let result: T | undefined;
  try {
    result = fn();
  } finally {
    if (!(result instanceof Promise)) openNoGrads--;
  }
  if (!(result instanceof Promise)) return result;
  return result.finally(() => {
    openNoGrads--;
  }) as T;
}

export const recording = (inputs: readonly Maybe[]): boolean =>
  openNoGrads === 0 && inputs.some((input) => input?.requiresGrad);

/** Puts an op on the tape if a gradient will be needed. Returns `output`. */
export function record(
  op: string,
  output: Tensor,
  inputs: readonly Maybe[],
  saved: readonly Maybe[],
  backward: Backward,
): Tensor {
  const { dtype, storage, runtime } = output;
  if (dtype !== "int32") runtime.engine.checkFinite(op, storage, dtype === "float16");
  if (!recording(inputs)) return output;
  // The owner of an input may dispose it before the backward pass: the tape needs its place in the graph, not its data.
  output.attach(new TapeNode(op, inputs, saved, backward));
  return output;
}

/** Tensors from `root` back to the leaves, each after all the tensors that depend on it. */
function topologicalOrder(root: Tensor): Tensor[] {
  const order: Tensor[] = [];
  const seen = new Set<Tensor>();
  const stack: { tensor: Tensor; expanded: boolean }[] = [{ tensor: root, expanded: false }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    if (top.expanded) {
      stack.pop();
      order.push(top.tensor);
      continue;
    }
    top.expanded = true;
    if (seen.has(top.tensor)) {
      stack.pop();
      continue;
    }
    seen.add(top.tensor);
    for (const input of nodeOf(top.tensor)?.inputs ?? []) {
      if (input?.requiresGrad && !seen.has(input)) stack.push({ tensor: input, expanded: false });
    }
  }
  return order.reverse();
}

export interface BackwardOptions {
  /** Keep the saved activations, so that backward can run again. Default false. */
  readonly retainGraph?: boolean;
}

/** a + b for equal shapes, untracked. */
function sumOf(a: Tensor, b: Tensor): Tensor {
  const { runtime, shape, order, dtype } = a;
  using stored = inOrder(b, order);
  const result = Tensor.empty(runtime, shape, { dtype, order, tracked: false });
  const plan = planned(planFlat, { name: rows.add.name, part: "forward" }, result.size);
  runtime.run("add", plan, { a, b: stored, result });
  return result;
}

/** A gradient in the dtype of the tensor that it belongs to. Takes ownership of it. */
function inDType(grad: Tensor, dtype: DType): Tensor {
  if (grad.dtype === dtype) return grad;
  const converted = floatsOf(grad, dtype);
  grad.dispose();
  return converted;
}

/** Adds an untracked gradient to the gradient of a leaf, and takes ownership of it. */
function addToLeaf(leaf: Tensor, grad: Tensor): void {
  leaf.runtime.touched?.leaves.add(leaf);
  const earlier = leaf.grad;
  if (!leaf.requiresGrad || leaf.disposed) {
    grad.dispose();
  } else if (!earlier || earlier.disposed) {
    // A gradient may be changed in place (clipGradNorm, assign), so it must not share memory with anything else.
    const own = grad.storage.shared ? copyOf(grad) : grad;
    if (own !== grad) grad.dispose();
    leaf.replaceGrad(own);
  } else {
    const sum = sumOf(earlier, grad);
    grad.dispose();
    leaf.replaceGrad(sum);
  }
}

/**
 * Adds d root / d leaf to `leaf.grad` for every leaf with `requiresGrad` (torch.Tensor.backward). `seed` is the
 * gradient of the root; this takes ownership of it.
 */
export function runBackward(root: Tensor, seed: Tensor, { retainGraph = false }: BackwardOptions): void {
  if (!root.requiresGrad) {
    seed.dispose();
    throw new TensorError({
      code: "no-gradient",
      message: `backward: the tensor of shape ${show(root.shape)} does not depend on a tensor with requiresGrad`,
      fix: { code: "create a leaf with { requiresGrad: true }, and do not wrap the forward pass in noGrad" },
    });
  }
  const gradients = new Map<Tensor, Tensor>([[root, seed]]);
  const accumulate = (tensor: Tensor, grad: Tensor) => {
    const earlier = gradients.get(tensor);
    if (!earlier) {
      gradients.set(tensor, grad);
      return;
    }
    gradients.set(tensor, sumOf(earlier, grad));
    earlier.dispose();
    grad.dispose();
  };
  const take = (tensor: Tensor): Maybe => {
    const earlier = gradients.get(tensor);
    gradients.delete(tensor);
    return earlier;
  };
  const order = topologicalOrder(root);
  // Without this, an op would be freed as soon as the one after it has run.
  for (const tensor of order) nodeOf(tensor)?.retain();
  try {
    noGrad(() => {
      for (const tensor of order) {
        const grad = gradients.get(tensor);
        if (!grad) continue;
        const node = nodeOf(tensor);
        if (!node) {
          gradients.delete(tensor);
          addToLeaf(tensor, grad);
          continue;
        }
        const results = root.runtime.collect(() => node.run(grad, take));
        gradients.delete(tensor);
        grad.dispose();
        const { op, inputs } = node;
        if (!retainGraph) node.free();
        for (const [i, input] of inputs.entries()) {
          const result = results[i];
          if (!input || !result) continue;
          if (!input.requiresGrad) {
            result.dispose();
            continue;
          }
          if (!sameShape(result.shape, input.shape)) {
            throw defect(`${op}: gradient ${show(result.shape)} for an input of shape ${show(input.shape)}`);
          }
          accumulate(input, inDType(result, input.dtype));
        }
      }
    });
  } finally {
    for (const tensor of order) nodeOf(tensor)?.release();
    for (const grad of gradients.values()) grad.dispose();
  }
}
