import { Arena } from "../device/blocks.js";
import { notReplayable } from "../device/errors.js";
import { type Command, difference, type Replay } from "../device/recording.js";
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

/** The work for one set of shapes. */
interface Work {
  readonly arena: Arena;
  /** What the function is given: each call copies its arguments here. */
  readonly inputs: readonly Tensor[];
  /** Aliases of what the function returned. */
  outputs: CaptureResult;
  commands: readonly Command[];
  touched: Touched;
  /** Memory from outside that it uses, which must last. */
  outside: readonly Storage[];
  /** From the second call on, when the function has done the same twice. */
  replay: Replay | undefined;
}

/** @internal The work of `device.capture`. */
export class Capture<Args extends readonly Tensor[], Result extends CaptureResult> {
  readonly #works = new Map<string, Work>();
  #disposed = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly fn: (...inputs: Args) => Result,
  ) {
    if (typeof fn !== "function")
      throw invalidArgument(`capture: ${describe(fn)} is not a function`, { code: "pass a function of tensors" });
  }

  async call(inputs: Args): Promise<Result> {
    const { engine } = this.runtime;
    engine.assertUsable("capture");
    if (this.#disposed) throw disposed("the captured function was called after it was disposed");
    for (const [i, input] of inputs.entries()) this.#check(`argument ${i + 1}`, input);
    if (engine.isUnrepeatable) return this.fn(...inputs);
    const key = inputs.map(({ shape, dtype, order }) => `${dtype} ${shape} ${order}`).join("; ");
    const work = this.#works.get(key) ?? this.#begin(inputs);
    this.#works.delete(key);
    try {
      for (const [i, input] of inputs.entries()) copyInto(work.inputs[i]!, input);
      if (work.replay) this.#replay(work, work.replay);
      else this.#record(work);
    } catch (error) {
      this.#end(work);
      throw error;
    }
    this.#works.set(key, work);
    const [[oldest, last]] = this.#works as unknown as [[string, Work]];
    if (this.#works.size > KEPT) {
      this.#works.delete(oldest);
      this.#end(last);
    }
    const result = mapTensors(work.outputs, copyForCaller) as Result;
    await engine.throttle();
    return result;
  }

  dispose(): void {
    this.#disposed = true;
    for (const work of this.#works.values()) this.#end(work);
    this.#works.clear();
  }

  #check(name: string, input: Tensor): void {
    checkLive("capture", name, input);
    if (input.runtime !== this.runtime) throw otherDevice("capture", input.shape);
    if (!input.requiresGrad) return;
    throw invalidArgument(`capture: ${name} of shape ${show(input.shape)} requires a gradient`, {
      code: "arguments are copied, so no gradient reaches them: pass input.detach(), and use parameters from outside",
    });
  }

  #begin(inputs: Args): Work {
    const copies = inputs.map(({ shape, dtype, order }) =>
      Tensor.empty(this.runtime, shape, { dtype, order, tracked: false }),
    );
    return {
      arena: new Arena(),
      inputs: copies,
      outputs: undefined,
      commands: [],
      touched: none(),
      outside: [],
      replay: undefined,
    };
  }

  /** Runs the function, and notes what it does. Of two times that do the same, the second is what is replayed. */
  #record(work: Work): void {
    const { scopes, engine } = this.runtime;
    const isFirst = work.commands.length === 0;
    free(work.outputs);
    work.outputs = undefined;
    work.touched = none();
    const frame = scopes.open();
    this.runtime.touched = work.touched;
    let commands: readonly Command[];
    try {
      commands = engine.repeater.record(work.arena, () => {
        const given = work.inputs.map((input) => input.alias({ tracked: true }));
        const result: unknown = this.fn(...(given as readonly Tensor[] as Args));
        work.outputs = mapTensors(result, (tensor) => tensor.alias());
      });
    } finally {
      this.runtime.touched = undefined;
      scopes.close(frame, undefined);
    }
    checkGradients(work.touched, "leaves gradients behind");
    const change = isFirst ? undefined : difference(work.commands, commands);
    if (change !== undefined) throw notReplayable(change);
    work.commands = commands;
    if (isFirst) return;
    work.replay = engine.repeater.prepare(commands);
    work.outside = [...work.touched.storages].filter(({ blocks }) =>
      blocks.some((block) => block.arena !== work.arena),
    );
    work.touched.storages.clear();
  }

  #replay({ touched, outside }: Work, replay: Replay): void {
    for (const { released, shape } of outside) {
      const which = `a tensor${shape ? ` of shape ${show(shape)}` : ""}`;
      if (released) throw disposed(`${which} that the captured function uses was disposed`);
    }
    checkGradients(touched, "begins with gradients, which its recorded work would not add to");
    this.runtime.engine.repeater.replay(replay);
    for (const storage of touched.changed) storage.version++;
  }

  #end({ arena, inputs, outputs, replay }: Work): void {
    free(outputs);
    for (const input of inputs) input.dispose();
    if (!this.runtime.engine.isDestroyed) this.runtime.engine.repeater.end(replay, arena);
  }
}

const none = (): Touched => ({ storages: new Set(), changed: [], leaves: new Set() });

function checkGradients({ leaves }: Touched, what: string): void {
  for (const { grad } of leaves) if (grad && !grad.disposed) throw notReplayable(`it ${what}`);
}

/** A tensor of its own, in the scope of the caller, with the values of one that the next call changes. */
function copyForCaller(tensor: Tensor): Tensor {
  const { runtime, shape, dtype, order, size } = tensor;
  const copy = Tensor.empty(runtime, shape, { dtype, order });
  runtime.copy(tensor, copy, size * 4);
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
): Captured<Args, Result> {
  const work = new Capture(runtime, fn);
  const dispose = (): void => work.dispose();
  return Object.assign((...inputs: Args) => work.call(inputs), { dispose, [Symbol.dispose]: dispose });
}
