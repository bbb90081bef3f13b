import { show, TensorError } from "../plain/errors.js";
import type { GraphNode, Tensor } from "./tensor.js";

export type Maybe = Tensor | undefined;

/**
 * Computes the gradients of an op's inputs from the gradient of its output: one untracked tensor per input, or
 * undefined where `needs` is false. It may dispose the gradient of the output once it has done with it. `take` gives up
 * the gradient that an input has from other ops so far, if any, to an op that adds its own to it in one pass.
 */
export type Backward = (
  grad: Tensor,
  saved: readonly Maybe[],
  needs: readonly boolean[],
  take: (input: number) => Maybe,
) => readonly Maybe[];

/** An activation that the backward pass reads, and the version of its memory when it was saved. */
interface Saved {
  readonly tensor: Tensor;
  readonly version: number;
}

/**
 * One op on the tape. It owns aliases of the activations that its backward pass reads. It is held by the tensor that it
 * made, by the ops that read that tensor, and by a running backward pass; it frees the aliases after its backward pass,
 * or when nothing holds it any more.
 */
export class TapeNode implements GraphNode {
  #holders = 1;
  #freed = false;
  #inputs: readonly Maybe[];
  #saved: readonly (Saved | undefined)[];
  /** The ops that made the inputs, each retained once per input. */
  #sources: readonly TapeNode[];

  constructor(
    readonly op: string,
    inputs: readonly Maybe[],
    saved: readonly Maybe[],
    private readonly backward: Backward,
  ) {
    // An input that did not require a gradient when the op ran has nothing saved for one.
    this.#inputs = inputs.map((input) => (input?.requiresGrad ? input : undefined));
    this.#saved = saved.map((tensor) => tensor && { tensor: tensor.alias(), version: tensor.storage.version });
    this.#sources = inputs.flatMap((input) => nodeOf(input) ?? []);
    for (const source of this.#sources) source.retain();
  }

  /** The tensors that the gradient flows on to; none after the node is freed. */
  get inputs(): readonly Maybe[] {
    return this.#inputs;
  }

  retain(): void {
    this.#holders++;
  }

  /** Frees the node if nothing else holds it, and then the ops that only it held. */
  release(): void {
    const pending: TapeNode[] = [this];
    for (let node = pending.pop(); node; node = pending.pop()) {
      node.#holders--;
      if (node.#holders === 0) pending.push(...node.#drop());
    }
  }

  /** Frees what was saved, after the backward pass. */
  free(): void {
    for (const source of this.#drop()) source.release();
  }

  run(grad: Tensor, take: (input: Tensor) => Maybe): readonly Maybe[] {
    if (this.#freed) {
      throw new TensorError({
        code: "graph-freed",
        message: `backward: the saved tensors of ${this.op} were freed by an earlier backward pass`,
        fix: { code: "pass { retainGraph: true } to the earlier backward call" },
      });
    }
    for (const saved of this.#saved) if (saved) this.#checkUnchanged(saved);
    const inputs = this.#inputs;
    return this.backward(
      grad,
      this.#saved.map((saved) => saved?.tensor),
      inputs.map((input) => input?.requiresGrad ?? false),
      (i) => inputs[i] && take(inputs[i]),
    );
  }

  #checkUnchanged({ tensor, version }: Saved): void {
    if (tensor.storage.version === version) return;
    throw new TensorError({
      code: "modified-in-place",
      message: `backward: a tensor of shape ${show(tensor.shape)} that the gradient of ${this.op} needs was changed in place after the forward pass`,
      fix: {
        code: "call backward() before optimizer.step(), assign() or loadStateDict() changes a tensor that the forward pass used, or run the forward pass again",
      },
    });
  }

  /** Drops all references, and returns the ops that the node held. */
  #drop(): readonly TapeNode[] {
    const sources = this.#sources;
    for (const saved of this.#saved) saved?.tensor.dispose();
    this.#saved = [];
    this.#inputs = [];
    this.#sources = [];
    this.#freed = true;
    return sources;
  }
}

/** The op that made a tensor, if a gradient flows through it. */
export const nodeOf = (tensor: Maybe): TapeNode | undefined =>
  tensor?.node instanceof TapeNode ? tensor.node : undefined;
