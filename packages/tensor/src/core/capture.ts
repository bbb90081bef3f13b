import "../plain/dispose.js";
import type { Engine } from "../device/engine.js";
import { notReplayable } from "../device/errors.js";
import type { Command } from "../device/recording.js";
import type { Owner, Recording } from "../device/repeater.js";
import type { Storage } from "../device/storage.js";
import { describe } from "../plain/describe.js";
import { invalidArgument, otherDevice, show, TensorError } from "../plain/errors.js";
import type { Runtime, Touched } from "./runtime.js";
import { checkLive, copyInto, Tensor } from "./tensor.js";

/** What a captured function may return: tensors, also inside arrays and plain objects, or nothing. */
export type CaptureResult =
  | Tensor
  | undefined
  // biome-ignore lint/suspicious/noConfusingVoidType: it is the type of functions that return nothing.
  | void
  | readonly CaptureResult[]
  | { readonly [name: string]: CaptureResult };

/** A function of tensors whose work is recorded once a set of shapes, and replayed in later calls. */
export interface Captured<Args extends readonly Tensor[], Result> {
  (...inputs: Args): Promise<Result>;
  /** Frees the memory that is set apart for it. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** Sets of shapes whose work is kept; of more, the one that was used longest ago is recorded anew when it returns. */
const KEPT = 8;

/** @internal How a function is captured. */
export interface CaptureManner {
  /** Runs a function that cannot be replayed each time, in place of an error. */
  readonly isLenient: boolean;
  /** Disposes of arguments as soon as they are copied. */
  readonly takes: boolean;
  /**
   * Gives the caller results in memory of the recorded work, in place of copies. Until they are disposed, captured
   * functions run without their recordings.
   */
  readonly lends: boolean;
}

/** The work for one set of shapes. */
interface Work {
  readonly recording: Recording;
  /** Memory set apart, to which each call copies its arguments. */
  readonly inputs: readonly Tensor[];
  /** What the function returned, in memory set apart or outside. */
  readonly outputs: CaptureResult;
  readonly touched: Touched;
  /** Memory from outside that it uses, which must last. */
  readonly outside: readonly Storage[];
}

/** @internal The work of `device.capture`. */
class Capture<Args extends readonly Tensor[], Result extends CaptureResult> {
  /** By sets of shapes: the commands of the first call, and the work since the second. */
  readonly #first = new Map<string, readonly Command[]>();
  readonly #works = new Map<string, Work>();
  #isDisposed = false;
  /** Whether it turned out that the function cannot be replayed. */
  #isPlain = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly fn: (...inputs: Args) => Result,
    private readonly manner: CaptureManner,
  ) {
    if (typeof fn !== "function")
      throw invalidArgument(`capture: ${describe(fn)} is not a function`, { code: "pass a function of tensors" });
  }

  async call(inputs: Args): Promise<Result> {
    const { engine } = this.runtime;
    engine.assertUsable("capture");
    if (this.#isDisposed) throw disposed("the captured function was called after it was disposed");
    for (const [i, input] of inputs.entries()) this.#check(`argument ${i + 1}`, input);
    const isPlain = engine.isUnrepeatable || engine.repeater.isLent || this.#isPlain;
    const result = isPlain ? this.fn(...inputs) : this.#repeat(inputs);
    this.#take(inputs);
    await engine.throttle();
    return result;
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const key of this.#works.keys()) this.#forget(key);
    this.#first.clear();
  }

  #take(inputs: Args): void {
    if (this.manner.takes) for (const input of inputs) input.dispose();
  }

  #check(name: string, input: Tensor): void {
    checkLive("capture", name, input);
    if (input.runtime !== this.runtime) throw otherDevice("capture", input.shape);
    if (!input.requiresGrad) return;
    throw invalidArgument(`capture: ${name} of shape ${show(input.shape)} requires a gradient`, {
      code: "arguments are copied, so no gradient reaches them: pass input.detach(), and use parameters from outside",
    });
  }

  #repeat(inputs: Args): Result {
    const key = inputs.map(({ shape, dtype, order }) => `${dtype} ${shape} ${order}`).join("; ");
    try {
      const work = this.#works.get(key);
      if (work) return this.#replay(key, work, inputs);
      const before = this.#first.get(key);
      return before ? this.#record(key, before, inputs) : this.#note(key, inputs);
    } catch (error) {
      this.#first.delete(key);
      this.#forget(key);
      throw error;
    }
  }

  /** The first time: runs the function, and notes what it does. */
  #note(key: string, inputs: Args): Result {
    let result: CaptureResult;
    const touched = none();
    const commands = this.engine.repeater.note(() => {
      result = this.#watch(touched, inputs);
    }, this.manner.isLenient);
    if (this.#isRepeatable(touched, commands)) this.#first.set(key, commands);
    dropOldest(this.#first, (oldest) => this.#first.delete(oldest));
    const given = this.#handOver(result);
    free(result);
    return given;
  }

  /** The second time: runs the function in memory set apart. If it does the same, this is what is replayed. */
  #record(key: string, before: readonly Command[], inputs: Args): Result {
    this.#first.delete(key);
    const { repeater } = this.engine;
    const touched = none();
    const copies: Tensor[] = [];
    let result: CaptureResult;
    const copyAll = (): void => {
      for (const input of inputs) {
        copies.push(likeOf(input));
        copyInto(copies.at(-1)!, input);
      }
    };
    const run = (): void => {
      result = this.#watch(touched, copies as readonly Tensor[] as Args);
    };
    const owner: Owner = {
      isOver: () => this.#works.get(key)?.outside.some(({ released }) => released) ?? false,
      onForgotten: () => void this.#works.delete(key),
    };
    const release = (): void => {
      for (const copy of copies) copy.dispose();
      free(result);
    };
    try {
      const recording = repeater.record(before, copyAll, run, this.manner.isLenient, owner);
      if (!this.#isRepeatable(touched, recording)) {
        const given = this.#handOver(result);
        if (!(recording instanceof TensorError)) repeater.forget(recording);
        return given;
      }
      const lent = { inputs: copies.map((copy) => copy.borrow()), outputs: mapTensors(result, (x) => x.borrow()) };
      release();
      repeater.settle(recording);
      const { blocks } = recording.apart;
      const isOutside = (storage: Storage) => !storage.released || storage.blocks.some((block) => !blocks.has(block));
      const outside = [...touched.storages].filter(isOutside);
      touched.storages.clear();
      this.#works.set(key, { recording, ...lent, touched, outside });
      dropOldest(this.#works, (oldest) => this.#forget(oldest));
      return this.#handOver(lent.outputs);
    } finally {
      release();
    }
  }

  /** Runs the function in a scope of its own. Returns its results as handles of their own. */
  #watch(touched: Touched, inputs: Args): CaptureResult {
    const { scopes } = this.runtime;
    const frame = scopes.open();
    this.runtime.touched = touched;
    try {
      const given = inputs.map((input) => input.alias({ tracked: true }));
      return mapTensors(this.fn(...(given as readonly Tensor[] as Args)), (tensor) => tensor.alias());
    } finally {
      this.runtime.touched = undefined;
      scopes.close(frame, undefined);
    }
  }

  /** Whether what was recorded can be replayed. Throws unless the function may run each time. */
  #isRepeatable<T>(touched: Touched, recorded: T | TensorError): recorded is T {
    const problem = recorded instanceof TensorError ? recorded : gradientsOf(touched, "leaves gradients behind");
    if (problem && !this.manner.isLenient) throw problem;
    this.#isPlain ||= problem !== undefined;
    return problem === undefined;
  }

  #replay(key: string, work: Work, inputs: Args): Result {
    const { outside, touched } = work;
    const problem = goneFrom(outside) ?? gradientsOf(touched, "begins with gradients, which its work would not add to");
    if (problem && !this.manner.isLenient) throw problem;
    if (problem) {
      this.#forget(key);
      return this.fn(...inputs);
    }
    for (const [i, input] of inputs.entries()) copyInto(work.inputs[i]!, input);
    this.#take(inputs);
    this.engine.repeater.replay(work.recording);
    for (const storage of touched.changed) storage.version++;
    this.#works.delete(key);
    this.#works.set(key, work);
    return this.#handOver(work.outputs);
  }

  /** The results for the caller's scope. */
  #handOver(result: CaptureResult): Result {
    if (!this.manner.lends) return mapTensors(result, copyForCaller) as Result;
    const lent: Tensor[] = [];
    const given = mapTensors(result, (tensor) => {
      lent.push(tensor.alias({ tracked: true }));
      return lent.at(-1) as Tensor;
    });
    this.engine.repeater.lent = lent;
    return given as Result;
  }

  #forget(key: string): void {
    const work = this.#works.get(key);
    this.#works.delete(key);
    if (work && !this.engine.isDestroyed) this.engine.repeater.forget(work.recording);
  }

  private get engine(): Engine {
    return this.runtime.engine;
  }
}

/** Forgets the entry that was used longest ago if there are too many. */
function dropOldest(map: ReadonlyMap<string, unknown>, drop: (key: string) => void): void {
  const [oldest] = map.keys();
  if (map.size > KEPT && oldest !== undefined) drop(oldest);
}

const none = (): Touched => ({ storages: new Set(), changed: [], leaves: new Set() });

function gradientsOf({ leaves }: Touched, what: string): TensorError | undefined {
  for (const { grad } of leaves) if (grad && !grad.disposed) return notReplayable(`it ${what}`);
  return undefined;
}

function goneFrom(storages: readonly Storage[]): TensorError | undefined {
  const gone = storages.find(({ released }) => released);
  if (!gone) return undefined;
  const which = `a tensor${gone.shape ? ` of shape ${show(gone.shape)}` : ""}`;
  return disposed(`${which} that the captured function uses was disposed`);
}

const likeOf = ({ runtime, shape, dtype, order }: Tensor): Tensor =>
  Tensor.empty(runtime, shape, { dtype, order, tracked: false });

/** A tensor of its own, in the scope of the caller, with the values of one that the next call changes. */
function copyForCaller(tensor: Tensor): Tensor {
  const { runtime, shape, dtype, order } = tensor;
  const copy = Tensor.empty(runtime, shape, { dtype, order });
  runtime.copy(tensor, copy);
  return copy;
}

function free(result: CaptureResult): void {
  mapTensors(result, (tensor) => {
    tensor.dispose();
    return tensor;
  });
}

/** The same arrays and objects with other tensors. Throws `not-replayable` for values that a replay cannot renew. */
function mapTensors(value: unknown, change: (tensor: Tensor) => Tensor): CaptureResult {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Tensor) return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTensors(item, change));
  if (value instanceof Promise) {
    // Its own error, if any, is of no interest.
    value.catch(() => undefined);
    throw notReplayable("it is asynchronous");
  }
  const prototype = typeof value === "object" && Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw notReplayable(`it returns ${describe(value)}`);
  return Object.fromEntries(
    Object.entries(value as object).map(([name, item]) => [name, mapTensors(item, change)] as const),
  );
}

const disposed = (message: string): TensorError =>
  new TensorError({ code: "disposed", message: `capture: ${message}`, fix: { code: "capture the function anew" } });

/** @internal `device.capture`, see there. */
export function capture<Args extends readonly Tensor[], Result extends CaptureResult>(
  runtime: Runtime,
  fn: (...inputs: Args) => Result,
  manner: CaptureManner = { isLenient: false, takes: false, lends: false },
): Captured<Args, Result> {
  const work = new Capture(runtime, fn, manner);
  const dispose = (): void => work.dispose();
  return Object.assign((...inputs: Args) => work.call(inputs), { dispose, [Symbol.dispose]: dispose });
}
