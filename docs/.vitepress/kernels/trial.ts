/** Runs the plans of a case on a device: how long they take, and how far they are from the reference in float64. */
import type { AnyOpCase, OperandCase } from "@fcn/kernels";
import { type Nd, range } from "@fcn/kernels/reference";
import type { Device, Tensor } from "@fcn/tensor";
import { planRunner, tensorStoredIn } from "@fcn/tensor/internal";
import type { Settings } from "./figures.js";

export interface Timing {
  /** Of one run: the median over the batches. */
  readonly seconds: number;
  /** Runs of a batch, one after another without waiting. */
  readonly runs: number;
  readonly batches: number;
}

export interface Check {
  /** The largest difference from the reference, as a share of the largest value. */
  readonly error: number;
  /** What was compared: `y`, or `dx along a direction`. */
  readonly against: readonly string[];
  readonly settings: Settings;
  /** Whether the settings are smaller ones than those that were timed. */
  readonly isSmall: boolean;
}

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

const countOf = (shape: readonly number[]): number => shape.reduce((count, size) => count * size, 1);

/** More values than these repeat. */
const BLOCK = 65_521;

/** Values of an operand, rounded to float32. */
function valuesOf({ shape, given }: OperandCase, seed: number): Float32Array {
  const values = new Float32Array(countOf(shape));
  const next = uniform(seed);
  const value = (): number => {
    if (given === "normal") return normal(next);
    if (given === "between") return 0.1 + 0.8 * next();
    return given === undefined ? Number.NaN : Math.floor(next() * given.below);
  };
  for (let i = 0; i < Math.min(values.length, BLOCK); i++) values[i] = value();
  for (let i = BLOCK; i < values.length; i += BLOCK)
    values.set(values.subarray(0, Math.min(BLOCK, values.length - i)), i);
  return values;
}

interface Operands {
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly given: Readonly<Record<string, Nd>>;
}

/** The tensors of a case. What is written is NaN before, so that an element that is left out shows. */
function operandsOf(device: Device, op: AnyOpCase, settings: Settings): Operands {
  const tensors: Record<string, Tensor> = {};
  const given: Record<string, Nd> = {};
  for (const [i, [name, operand]] of Object.entries(op.operands(settings)).entries()) {
    const { shape, dtype, order = range(shape.length) } = operand;
    if (dtype === "int32") {
      const data = operand.given ? Int32Array.from(valuesOf(operand, i + 1)) : new Int32Array(countOf(shape));
      tensors[name] = device.tensor(data, shape, { dtype });
      if (operand.given) given[name] = { shape, data: Float64Array.from(data) };
    } else {
      const data = valuesOf(operand, i + 1);
      tensors[name] = tensorStoredIn(order, device, data, shape);
      if (operand.given) given[name] = { shape, data: Float64Array.from(data) };
    }
  }
  return { tensors, given };
}

/** What runs a plan of a case on its tensors. Throws where the device cannot. */
function runnerOf(device: Device, op: AnyOpCase, index: number, settings: Settings, { tensors }: Operands): () => void {
  const { name, plan, operands = {} } = op.plans[index]!;
  const planned = plan(settings, device.capabilities);
  if (!planned) throw new Error(`${op.name}, ${name}: a row of these sizes does not fit a binding of this device`);
  const renamed = Object.entries(operands).map(([own, of]) => [own, tensors[of]!] as const);
  const bound = { ...tensors, ...Object.fromEntries(renamed) };
  const run = planRunner(device, op.name, planned);
  return () => run(bound);
}

/** A batch takes at least this long, so that starting it counts for little. */
const BATCH_SECONDS = 0.03;
/** All batches take no longer, if one run does not. */
const MOST_SECONDS = 3;
const MOST_RUNS = 4096;
const BATCHES = 7;

/** How long a plan takes. Gradients come after the plan itself, which leaves them what they read. */
export function timePlan(device: Device, op: AnyOpCase, index: number, settings: Settings): Promise<Timing> {
  return device.scope(async () => {
    const operands = operandsOf(device, op, settings);
    if (index > 0) runnerOf(device, op, 0, settings, operands)();
    const run = runnerOf(device, op, index, settings, operands);
    const batch = async (runs: number): Promise<number> => {
      const start = performance.now();
      for (let i = 0; i < runs; i++) run();
      await device.sync();
      return (performance.now() - start) / 1000;
    };
    await batch(1);
    let runs = 1;
    let seconds = await batch(runs);
    while (seconds < BATCH_SECONDS && runs < MOST_RUNS) {
      runs *= 2;
      seconds = await batch(runs);
    }
    const batches = Math.max(1, Math.min(BATCHES, Math.floor(MOST_SECONDS / seconds)));
    const times = [seconds];
    while (times.length < batches) times.push(await batch(runs));
    const median = times.sort((a, b) => a - b)[Math.floor(times.length / 2)] as number;
    return { seconds: median / runs, runs, batches };
  });
}

/** With more products and elements the reference takes too long. */
const MOST_WORK = 150_000;
/** The step of central differences, in float64. */
const STEP = 1e-6;

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** The largest difference as a share of the largest expected value. NaN and infinity where only one has them differ. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(largest(expected), 1e-3);
  return Array.from(actual).reduce((most, value, i) => {
    const off = Math.abs(value - expected[i]!) / scale;
    return Object.is(value, expected[i]) ? most : Number.isNaN(off) ? Number.POSITIVE_INFINITY : Math.max(most, off);
  }, 0);
}

/** The plans of a case compared with its reference; undefined where there is none. */
export function checkPlan(
  device: Device,
  op: AnyOpCase,
  index: number,
  settings: Settings,
): Promise<Check | undefined> {
  const { expected, gradients = {} } = op.plans[index]!;
  const sizes = Object.values(op.operands(settings)).reduce((sum, { shape }) => sum + countOf(shape), 0);
  const isSmall = sizes + (op.multiplyAdds?.(settings) ?? 0) > MOST_WORK;
  const own = isSmall ? op.small(settings) : settings;
  return device.scope(async () => {
    const operands = operandsOf(device, op, own);
    const { tensors, given } = operands;
    if (index > 0) runnerOf(device, op, 0, own, operands)();
    runnerOf(device, op, index, own, operands)();
    const [value, gradient] = op.result ?? ["y", "dy"];
    const against: string[] = [];
    let error = 0;
    for (const [name, { data }] of Object.entries(expected?.(own, given) ?? {})) {
      error = Math.max(error, difference(await tensors[name]!.data(), data));
      against.push(name);
    }
    for (const [i, [name, of]] of Object.entries(gradients).entries()) {
      const found = await tensors[name]!.data();
      const next = uniform(100 + i);
      const direction = Float64Array.from(found, () => normal(next));
      const moved = (step: number): Float64Array => {
        const at = given[of]!;
        const data = at.data.map((v, k) => v + step * direction[k]!);
        return op.plans[0]!.expected!(own, { ...given, [of]: { shape: at.shape, data } })[value]!.data;
      };
      const [above, below] = [moved(STEP), moved(-STEP)];
      const slope = dot(
        given[gradient]!.data,
        above.map((v, k) => (v - below[k]!) / (2 * STEP)),
      );
      const terms = dot(found.map(Math.abs), direction.map(Math.abs));
      error = Math.max(error, Math.abs(dot(found, direction) - slope) / Math.max(terms, 1e-2));
      against.push(`${name} along a direction`);
    }
    return against.length > 0 ? { error, against, settings: own, isSmall } : undefined;
  });
}
