import { Tensor } from "../core/tensor.js";
import type { HostArray } from "../io/arrays/hostArray.js";
import { show, TensorError } from "../plain/errors.js";

/** The optimiser's state of one parameter: buffers in the parameter's memory format, and the steps so far. */
export interface ParameterState {
  step: number;
  /** Whether the buffers are still uninitialised. */
  fresh: boolean;
  readonly buffers: Record<string, Tensor>;
  /**
   * The steps taken, of a parameter that has followed a GradScaler; `step` then counts skipped ones too. `count` is
   * twice four floats, of which those at `step % 2` hold the number, and is `fresh` while it is still uninitialised.
   */
  taken?: { readonly count: Tensor; fresh: boolean };
}

/** The device's count of a parameter's steps, without a scope, since it outlives that of a step. */
export const newTaken = (parameter: Tensor): NonNullable<ParameterState["taken"]> => ({
  count: Tensor.empty(parameter.runtime, TAKEN, { tracked: false }),
  fresh: true,
});

const TAKEN = [2, 4];

/** The state of an optimiser by name, as returned by `stateDict` and the readers in `io`. */
export type SavedState = Readonly<Record<string, Tensor | HostArray>>;

interface Target {
  readonly parameter: Tensor;
  readonly names: readonly string[];
  /** Returns the state to fill, and creates it first if there is none. */
  readonly make: () => ParameterState;
}

export function saveStates(states: readonly (ParameterState | undefined)[]): Record<string, Tensor | HostArray> {
  const entries = states.flatMap((state, i): [string, Tensor | HostArray][] => {
    if (!state) return [];
    const buffers = Object.entries(state.buffers).map(([name, buffer]): [string, Tensor] => [`${i}.${name}`, buffer]);
    const taken: [string, Tensor][] = state.taken ? [[`${i}.taken`, state.taken.count]] : [];
    return [[`${i}.step`, { dtype: "int32", shape: [], data: Int32Array.of(state.step) }], ...buffers, ...taken];
  });
  return Object.fromEntries(entries);
}

const OWN_FIX = "load the state into an optimiser with the same parameters and settings as the one that saved it";

/** Throws `state-dict-mismatch`, with `fix`, unless a state has exactly the entries of `wanted`, in these shapes. */
export function checkState(
  op: string,
  dict: SavedState,
  wanted: ReadonlyMap<string, readonly number[]>,
  fix: string,
): void {
  const problems = [...wanted].flatMap(([name, shape]) => {
    const given = dict[name];
    if (!given) return [`${name} is missing`];
    return show(given.shape) === show(shape) ? [] : [`${name} is ${show(given.shape)}, expected ${show(shape)}`];
  });
  problems.push(...Object.keys(dict).flatMap((name) => (wanted.has(name) ? [] : [`${name} is unexpected`])));
  if (problems.length > 0) throw mismatch(op, problems, fix);
}

/** Copies an entry of a state into the tensor that it belongs to. */
export const assignSaved = (target: Tensor, source: Tensor | HostArray): void =>
  target.assign(source instanceof Tensor ? source : source.data);

/** Checks all entries before copying any. A parameter without entries keeps its state. */
export function loadStates(op: string, dict: SavedState, targets: readonly Target[]): void {
  const wanted = new Map(
    targets.flatMap(({ parameter, names }, i): [string, readonly number[]][] =>
      `${i}.step` in dict
        ? [
            [`${i}.step`, []],
            ...names.map((name): [string, readonly number[]] => [`${i}.${name}`, parameter.shape]),
            ...(`${i}.taken` in dict ? [[`${i}.taken`, TAKEN] as [string, readonly number[]]] : []),
          ]
        : [],
    ),
  );
  checkState(op, dict, wanted, OWN_FIX);
  const steps = targets.map((_, i) => {
    const given = dict[`${i}.step`];
    return given && stepOf(op, `${i}.step`, given);
  });
  targets.forEach(({ parameter, names, make }, i) => {
    if (steps[i] === undefined) return;
    const state = make();
    state.step = steps[i]!;
    state.fresh = false;
    for (const name of names) assignSaved(state.buffers[name]!, dict[`${i}.${name}`]!);
    const taken = dict[`${i}.taken`];
    if (taken) {
      state.taken ??= newTaken(parameter);
      assignSaved(state.taken.count, taken);
    }
    // A count from before is made anew from the steps.
    if (state.taken) state.taken.fresh = taken === undefined;
  });
}

function stepOf(op: string, name: string, value: Tensor | HostArray): number {
  const step = value instanceof Tensor ? Number.NaN : Number(value.data[0]);
  if (Number.isInteger(step) && step >= 0) return step;
  throw mismatch(op, [`${name} is not a host array with the number of steps`], OWN_FIX);
}

function mismatch(op: string, problems: readonly string[], fix: string): TensorError {
  return new TensorError({
    code: "state-dict-mismatch",
    message: `${op}.loadStateDict: ${problems.join("; ")}`,
    fix,
  });
}
