import "../plain/dispose.js";
import type { ScaledStepped, Updated } from "@fcn/kernels";
import { inOrder, Tensor } from "../core/tensor.js";
import type { HostArray } from "../io/arrays/hostArray.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, show } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { checkedInUse, type RulesOf } from "../plain/rules.js";
import { isList } from "../plain/shape.js";
import { loadStates, newTaken, type ParameterState, type SavedState, saveStates } from "./state.js";

/** Parameters with their own settings; the optimiser's options apply to settings that are left out. */
export type ParameterGroup<Options> = { readonly params: readonly Tensor[] } & Partial<Options>;

/** A group with all its settings. `lr` and the others may be changed between steps. */
export type ResolvedGroup<Options> = { readonly params: readonly Tensor[] } & {
  -readonly [K in keyof Options]-?: Options[K];
};

export interface SharedOptions {
  readonly lr?: number;
}

/** @internal A parameter that is updated. Its gradient and the buffers of its state have its memory format. */
export interface Update {
  readonly w: Tensor;
  readonly g: Tensor;
  readonly state: ParameterState;
}

/** @internal */
export type OneOrTwo<T> = readonly [T] | readonly [T, T];

/** @internal What plans need to know of an update at the moment. */
export const updatedOf = ({ w, state: { fresh } }: Update): Updated => ({ count: w.size, isFirst: fresh });

/** @internal What plans need to know of an update that follows the record of a GradScaler, if there is one. */
export function scaledOf({ w, state: { step, fresh, taken } }: Update, record: Tensor | undefined): ScaledStepped {
  const at = step % 2 === 1 ? 0 : 1;
  const known = taken?.fresh ? step - 1 : undefined;
  return { count: w.size, isFirst: fresh, at, taken: known, isGuarded: record !== undefined };
}

/** Base class of the optimisers: parameter groups, gradients, and the state of each parameter. */
export abstract class Optimizer<Options extends SharedOptions> {
  /** The parameter groups, in the order in which they were given. */
  readonly groups: readonly ResolvedGroup<Options>[];
  readonly #states = new Map<Tensor, ParameterState>();
  /** What a GradScaler says about the step that is being made. */
  #record: Tensor | undefined;

  protected constructor(
    protected readonly op: string,
    params: readonly Tensor[] | readonly ParameterGroup<Options>[],
    private readonly rules: RulesOf<Options>,
    defaults: Required<Options>,
    /** Names of the buffers that each parameter of the group needs. */
    protected readonly bufferNames: (group: ResolvedGroup<Options>) => readonly string[],
  ) {
    if (!isList(params))
      throw invalidArgument(`${op}: params is ${describe(params)}`, { code: "pass module.parameters(), or a list" });
    const given = isGroups(params) ? params : [{ params } as ParameterGroup<Options>];
    this.groups = given.map((group) => ({ ...defaults, ...defined(group) }) as unknown as ResolvedGroup<Options>);
    checkParameters(op, this.groups);
    for (const group of given) this.#check(group);
    for (const group of this.groups) this.checkGroup(group);
  }

  /** Throws if settings that are valid one by one do not go together. */
  protected checkGroup(_group: ResolvedGroup<Options>): void {}

  #check(group: object): void {
    checkOptions<object>(this.op, group, { params: checkedInUse, ...this.rules });
  }

  /**
   * @internal Updates one or two parameters; the `step` of their states counts from 1. Settings of the group and the
   * states are read whenever the work is done, also when it is replayed.
   */
  protected abstract update(updates: OneOrTwo<Update>, group: ResolvedGroup<Options>): void;

  /**
   * @internal Updates a parameter by the record of a GradScaler, which says what to multiply the gradient by and
   * whether to skip the step. Without a record, takes the step and counts it where the scaler does.
   */
  protected abstract updateScaled(
    update: Update,
    group: ResolvedGroup<Options>,
    operands: { readonly taken: Tensor; readonly record: Tensor | undefined },
  ): void;

  /** Learning rate of the first group. Setting it sets the learning rate of every group. */
  get lr(): number {
    return this.groups[0]!.lr as number;
  }

  set lr(value: number) {
    for (const group of this.groups) (group as { lr: number }).lr = value;
  }

  /** Frees the gradients of all parameters. */
  zeroGrad(): void {
    for (const { params } of this.groups) for (const parameter of params) parameter.zeroGrad();
  }

  /**
   * Updates every parameter that has a gradient, two at a time, as a dispatch has buffers for two of AdamW. RMSprop
   * takes each of them by itself.
   */
  step(): void {
    const record = this.#record;
    for (const group of this.groups) {
      group.params[0]?.runtime.each(() => {
        this.#check(group);
        this.checkGroup(group);
      });
      const waiting = group.params.filter(({ grad }) => grad);
      while (waiting.length > 0) {
        const [first, second] = waiting as [Tensor, Tensor?];
        const canPair = second && areApart(first, second) && ![first, second].some((w) => this.#isScaled(w, record));
        const pair: OneOrTwo<Tensor> = canPair ? [first, second] : [first];
        waiting.splice(0, pair.length);
        this.#update(pair, group, record);
      }
    }
  }

  /** @internal Makes the step by the record of a GradScaler. */
  stepScaled(record: Tensor): void {
    this.#record = record;
    try {
      this.step();
    } finally {
      this.#record = undefined;
    }
  }

  /** Whether the device counts the steps of a parameter. */
  #isScaled(w: Tensor, record: Tensor | undefined): boolean {
    return record !== undefined || this.#states.get(w)?.taken !== undefined;
  }

  #update(pair: OneOrTwo<Tensor>, group: ResolvedGroup<Options>, record: Tensor | undefined): void {
    const { runtime } = pair[0];
    const updates = pair.map((w): Update => {
      return { w, g: inOrder(w.grad as Tensor, w.order), state: this.#state(w, group) };
    }) as [Update, Update];
    runtime.each(() => {
      for (const { state } of updates) state.step++;
    });
    const [{ w, state }] = updates;
    if (this.#isScaled(w, record)) {
      state.taken ??= newTaken(w);
      this.updateScaled(updates[0], group, { taken: state.taken.count, record });
    } else this.update(updates, group);
    for (const { w, g } of updates) {
      w.bumpVersion();
      g.dispose();
    }
    runtime.each(() => {
      for (const { state } of updates) {
        state.fresh = false;
        if (state.taken) state.taken.fresh = false;
      }
    });
  }

  /**
   * The state of the optimiser for a checkpoint: buffers such as `0.momentum`, and the step count `0.step`, named by
   * the position of the parameter. After steps with a GradScaler, `0.step` counts skipped steps too, and `0.taken` is
   * what the device keeps of those that were taken. Learning rates belong to the schedule and are left out.
   */
  stateDict(): Record<string, Tensor | HostArray> {
    return saveStates(this.#parameters().map((parameter) => this.#states.get(parameter)));
  }

  /**
   * Loads what `stateDict` returned, as tensors or host arrays. Throws `state-dict-mismatch` if names or shapes do not
   * fit the parameters; then nothing has changed.
   */
  loadStateDict(dict: SavedState): void {
    const fresh = this.groups.flatMap((group) =>
      group.params.map((parameter) => ({
        parameter,
        make: () => this.#state(parameter, group),
        names: this.bufferNames(group),
      })),
    );
    loadStates(this.op, dict, fresh);
  }

  /** Frees the optimiser's buffers, but not the parameters and their gradients. */
  dispose(): void {
    for (const { buffers, taken } of this.#states.values()) {
      for (const buffer of Object.values(buffers)) buffer.dispose();
      taken?.count.dispose();
    }
    this.#states.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #parameters(): Tensor[] {
    return this.groups.flatMap(({ params }) => params);
  }

  /** No scope tracks the buffers, since they outlive the scope that a step runs in. */
  #state(parameter: Tensor, group: ResolvedGroup<Options>): ParameterState {
    const state = this.#states.get(parameter) ?? { step: 0, fresh: true, buffers: {} };
    this.#states.set(parameter, state);
    const { shape, order, runtime } = parameter;
    for (const name of this.bufferNames(group)) {
      if (state.buffers[name]) continue;
      state.buffers[name] = Tensor.empty(runtime, shape, { order, tracked: false });
      state.fresh = true;
    }
    return state;
  }
}

/** Whether two parameters and their gradients share no memory, which one dispatch may not change and read. */
const areApart = (a: Tensor, b: Tensor): boolean =>
  a.runtime === b.runtime && new Set([a, b, a.grad, b.grad].map((own) => own?.storage)).size === 4;

function isGroups<Options>(
  params: readonly Tensor[] | readonly ParameterGroup<Options>[],
): params is readonly ParameterGroup<Options>[] {
  return params.length > 0 && "params" in params[0]!;
}

function defined<T extends object>(group: T): Partial<T> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function checkParameters(op: string, groups: readonly { readonly params: readonly Tensor[] }[]): void {
  const all = groups.flatMap(({ params }) => params);
  if (all.length === 0) throw invalidArgument(`${op}: there are no parameters`, { code: "pass module.parameters()" });
  if (new Set(all).size < all.length) {
    throw invalidArgument(`${op}: a parameter was given more than once`, "put each parameter into one group only");
  }
  const made = all.findIndex((parameter) => parameter.node);
  if (made >= 0) {
    const { shape, node } = all[made]!;
    const problem = `parameter ${made} of shape ${show(shape)} is a result of ${node!.op}, not a leaf`;
    throw invalidArgument(`${op}: ${problem}`, {
      code: "pass the tensors themselves that were made with { requiresGrad: true }, such as module.parameters()",
    });
  }
  const other = all.findIndex((parameter) => parameter.dtype !== "float32");
  if (other >= 0) throw invalidArgument(`${op}: parameter ${other} is ${all[other]!.dtype}`, "pass float32 parameters");
}
