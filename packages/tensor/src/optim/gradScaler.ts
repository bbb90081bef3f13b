import "../plain/dispose.js";
import { planScalerBegin, planScalerCheck, planScalerUpdate, type ScalerSettings } from "@fcn/kernels";
import { noGrad } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import type { Runtime } from "../core/runtime.js";
import { Tensor } from "../core/tensor.js";
import type { Device } from "../device.js";
import type { HostArray } from "../io/arrays/hostArray.js";
import { mul, reshape, slice } from "../ops/index.js";
import { invalidArgument, type TensorError } from "../plain/errors.js";
import { checkOptions } from "../plain/options.js";
import { boolean, number, positive, type RulesOf, whole } from "../plain/rules.js";
import type { Adam } from "./adam.js";
import type { AdamW } from "./adamw.js";
import type { RMSprop } from "./rmsprop.js";
import type { SGD } from "./sgd.js";
import { assignSaved, checkState, type SavedState } from "./state.js";

export interface GradScalerOptions {
  /** The first scale. Default 65536. */
  readonly initScale?: number;
  /** What the scale is multiplied by after `growthInterval` steps without an overflow. Default 2. */
  readonly growthFactor?: number;
  /** What the scale is multiplied by after an overflow. Default 0.5. */
  readonly backoffFactor?: number;
  /** Default 2000. */
  readonly growthInterval?: number;
  /** Without it, losses stay as they are and every step is taken. Default true. */
  readonly enabled?: boolean;
}

const RULES: RulesOf<GradScalerOptions> = {
  initScale: positive,
  growthFactor: number("a finite number above 1", (value) => value > 1 && Number.isFinite(value)),
  backoffFactor: number("a number above 0 and below 1", (value) => value > 0 && value < 1),
  growthInterval: whole(1),
  enabled: boolean,
};

type AnyOptimizer = SGD | AdamW | Adam | RMSprop;

/** What has been done for an optimiser since the last `update`. */
interface Use {
  stage: "ready" | "unscaled" | "stepped";
  /** What the device notes of its step: four floats, see `scaler-begin.wgsl`. */
  readonly record: Tensor;
}

/** Steps that were skipped because a gradient was not finite. */
export interface SkippedSteps {
  /** Up to the last `update`, since the last one without an overflow. */
  readonly inARow: number;
  readonly total: number;
}

/** By their names in `stateDict`. */
const SHAPES: Readonly<Record<string, readonly number[]>> = { scale: [], counts: [4] };

/**
 * Scales a loss, so that small gradients are not lost in float16, and undoes it in the step (torch.amp.GradScaler). A
 * step whose gradients hold an infinity or NaN is skipped, which leaves parameters and the optimiser's state as they
 * are, and the scale is lowered. The scale lives on the device and nothing is read from there, so all of it works in
 * `device.capture`.
 *
 * @example
 * ```ts
 * import { createDevice, mul, optim, sum } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const w = device.tensor([2], [1], { requiresGrad: true });
 * const optimizer = new optim.SGD([w], { lr: 0.25 });
 * const scaler = new optim.GradScaler(device);
 * scaler.scale(sum(mul(w, w))).backward();
 * scaler.unscale(optimizer); // only to look at gradients or change them, as clipGradNorm does
 * scaler.step(optimizer);
 * scaler.update();
 * console.log(await w.item()); // 2 - 0.25 * 4 = 1
 * device.destroy();
 * ```
 */
export class GradScaler {
  readonly #runtime: Runtime;
  readonly #enabled: boolean;
  readonly #settings: ScalerSettings;
  /** A scalar, and what `scaler-update.wgsl` counts; undefined if nothing is scaled. */
  readonly #state: { readonly scale: Tensor; readonly counts: Tensor } | undefined;
  readonly #uses = new Map<AnyOptimizer, Use>();

  constructor(device: Device, options: GradScalerOptions = {}) {
    checkOptions<GradScalerOptions>("GradScaler", options, RULES);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000, enabled = true } = options;
    this.#runtime = device.runtime;
    this.#enabled = enabled;
    this.#settings = { growthFactor, backoffFactor, growthInterval };
    if (!enabled) return;
    const [scale, counts] = ["scale", "counts"].map((name) => this.#empty(SHAPES[name]!)) as [Tensor, Tensor];
    scale.assign([initScale]);
    counts.assign([0, 0, 0, 0]);
    this.#state = { scale, counts };
  }

  /** Whether losses are scaled. */
  get enabled(): boolean {
    return this.#enabled;
  }

  /** The loss times the scale, for `backward`. A scaler that is not enabled returns the loss itself. */
  scale(loss: Tensor): Tensor {
    return this.#state ? mul(loss, this.#state.scale) : loss;
  }

  /**
   * Divides the gradients of an optimiser by the scale, before something that needs their size, such as `clipGradNorm`.
   * Without it, `step` divides as it updates. Throws if no parameter has a gradient, and if it was called before since
   * the last `update`.
   */
  unscale(optimizer: SGD | AdamW | Adam | RMSprop): void {
    if (!this.#state) return;
    const use = this.#use(optimizer);
    const gradients = gradientsOf("unscale", optimizer);
    this.#advance(use, "unscale", "unscaled");
    this.#begin(use, gradients, true);
    noGrad(() => {
      using part = slice(use.record, [[2, 3]]);
      using inverse = reshape(part, []);
      for (const gradient of gradients) {
        using unscaled = mul(gradient, inverse);
        gradient.assign(unscaled);
      }
    });
  }

  /**
   * Makes the step of an optimiser with the gradients divided by the scale, or none if one of them is not finite.
   * Throws if no parameter has a gradient, and if it was called before since the last `update`.
   */
  step(optimizer: SGD | AdamW | Adam | RMSprop): void {
    if (!this.#state) {
      optimizer.step();
      return;
    }
    const use = this.#use(optimizer);
    const gradients = gradientsOf("step", optimizer);
    const isUnscaled = use.stage === "unscaled";
    this.#advance(use, "step", "stepped");
    if (!isUnscaled) this.#begin(use, gradients, false);
    optimizer.stepScaled(use.record);
  }

  /**
   * Sets the scale for what follows, after all steps of an iteration. Throws if no gradient was looked at since the
   * last call.
   */
  update(): void {
    if (!this.#state) return;
    const { scale, counts } = this.#state;
    // Kernels are compiled without stages.
    const used = [...this.#uses.values()].filter(({ stage }) => stage !== "ready" || this.#runtime.engine.isWarming);
    if (used.length === 0) {
      throw misused("update: no optimiser has made a step since the last update", "call scaler.step(optimizer) first");
    }
    for (const [i, { record }] of used.entries()) {
      const call = planned(planScalerUpdate, i === used.length - 1, this.#settings);
      this.#runtime.run("GradScaler", call, { record, scale, counts });
    }
    for (const changed of [scale, counts]) changed.bumpVersion();
    this.#runtime.each(() => {
      for (const use of used) use.stage = "ready";
    });
  }

  /** Reads the scale; 1 if the scaler is not enabled. */
  async getScale(): Promise<number> {
    return (await this.#state?.scale.item()) ?? 1;
  }

  /** Reads how many updates found steps that were skipped. */
  async getSkippedSteps(): Promise<SkippedSteps> {
    const [, , inARow = 0, total = 0] = (await this.#state?.counts.data()) ?? [];
    return { inARow, total };
  }

  /**
   * The scale and the counts for a checkpoint, as tensors that the scaler goes on changing; empty if it is not enabled.
   * Factors and interval are settings and are left out.
   */
  stateDict(): Record<string, Tensor | HostArray> {
    return { ...this.#state };
  }

  /**
   * Loads what `stateDict` returned, as tensors or host arrays. Throws `state-dict-mismatch` if names or shapes are
   * others; then nothing has changed.
   */
  loadStateDict(dict: SavedState): void {
    const own = Object.entries({ ...this.#state });
    const wanted = new Map(own.map(([name]) => [name, SHAPES[name]!]));
    checkState("GradScaler", dict, wanted, "load the state of a GradScaler that was enabled if this one is");
    for (const [name, target] of own) assignSaved(target, dict[name]!);
  }

  /** Frees what the scaler keeps on the device. */
  dispose(): void {
    for (const tensor of Object.values(this.#state ?? {})) tensor.dispose();
    for (const { record } of this.#uses.values()) record.dispose();
    this.#uses.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** No scope tracks what outlives the one that a step runs in. */
  #empty(shape: readonly number[]): Tensor {
    return Tensor.empty(this.#runtime, shape, { tracked: false });
  }

  #use(optimizer: AnyOptimizer): Use {
    const use = this.#uses.get(optimizer) ?? { stage: "ready", record: this.#empty([4]) };
    this.#uses.set(optimizer, use);
    return use;
  }

  /** Where work is replayed, so are the stages. */
  #advance(use: Use, call: "unscale" | "step", to: Use["stage"]): void {
    this.#runtime.each(() => {
      const problem =
        use.stage === "stepped"
          ? `${call}: the optimiser has already made its step since the last update`
          : use.stage === to && "unscale: the gradients of this optimiser are already divided by the scale";
      if (problem) throw misused(problem, "call it once before each scaler.update()");
      use.stage = to;
    });
  }

  /** Begins the record of a step, and notes whether the gradients are finite. */
  #begin({ record }: Use, gradients: readonly Tensor[], isUnscaled: boolean): void {
    const { scale } = this.#state!;
    this.#runtime.run("GradScaler", planned(planScalerBegin, isUnscaled), { scale, record });
    const named = Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient]));
    const sizes = gradients.map(({ size }) => size);
    this.#runtime.run("GradScaler", planned(planScalerCheck, sizes), { ...named, record });
  }
}

function gradientsOf(call: string, optimizer: AnyOptimizer): readonly Tensor[] {
  const groups: readonly { readonly params: readonly Tensor[] }[] = optimizer.groups;
  const gradients = groups.flatMap(({ params }) => params.flatMap(({ grad }) => grad ?? []));
  if (gradients.length > 0) return gradients;
  throw misused(`${call}: no parameter of the optimiser has a gradient`, "call scaler.scale(loss).backward() first");
}

const misused = (problem: string, code: string): TensorError => invalidArgument(`GradScaler: ${problem}`, { code });
