import { planFlat } from "@fcn/kernels";
import { show, TensorError } from "../plain/errors.js";
import { sameShape } from "../plain/shape.js";
import { type Backward, type Maybe, nodeOf, TapeNode } from "./tape.js";
import { copyOf, inOrder, Tensor } from "./tensor.js";

/** Calls of noGrad that have not ended: a count, since async ones may end in any order. */
let openNoGrads = 0;

/**
 * Runs `fn` without recording gradients (torch.no_grad). The result of an async function is awaited under the same
 * rule; until it has settled no other code records gradients either, so do not train beside a pending one.
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

/** Whether an op on these inputs is to be recorded. */
export const recording = (inputs: readonly Maybe[]): boolean =>
  openNoGrads === 0 && inputs.some((input) => input?.requiresGrad);

/** Puts an op on the tape when a gradient will be wanted. Returns `output`. */
export function record(
  op: string,
  output: Tensor,
  inputs: readonly Maybe[],
  saved: readonly Maybe[],
  backward: Backward,
): Tensor {
  if (output.dtype === "float32") output.runtime.engine.checkFinite(op, output.storage);
  if (!recording(inputs)) return output;
  // An input may be disposed by its owner before the backward pass: the tape needs its place in the graph, not its
  // data.
  output.attach(new TapeNode(op, inputs, saved, backward));
  return output;
}

/** Tape nodes from `root` back to the leaves, each after all that depend on it. */
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
  /** Keep the saved tensors, so that backward can run again. Default false. */
  readonly retainGraph?: boolean;
}

/** a + b of one shape, untracked. */
function sumOf(a: Tensor, b: Tensor): Tensor {
  const { runtime, shape, order } = a;
  using stored = inOrder(b, order);
  const result = Tensor.empty(runtime, shape, { order, tracked: false });
  const plan = planFlat({ name: "add", part: "forward" }, result.size, runtime.capabilities);
  runtime.run("add", plan, { a, b: stored, result });
  return result;
}

/** Adds an untracked gradient, which is taken over, to that of a leaf. */
function addToLeaf(leaf: Tensor, grad: Tensor): void {
  const earlier = leaf.grad;
  if (!leaf.requiresGrad || leaf.disposed) {
    grad.dispose();
  } else if (!earlier || earlier.disposed) {
    // A gradient may be changed in place (clipGradNorm, assign), which nothing else may see.
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
 * gradient of the root, which is taken over.
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
  const order = topologicalOrder(root);
  // An op is freed when the one after it has run, unless the pass holds it.
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
        const results = root.runtime.collect(() => node.run(grad));
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
            throw new Error(`${op}: gradient ${show(result.shape)} for an input of shape ${show(input.shape)}`);
          }
          accumulate(input, result);
        }
      }
    });
  } finally {
    for (const tensor of order) nodeOf(tensor)?.release();
    for (const grad of gradients.values()) grad.dispose();
  }
}
