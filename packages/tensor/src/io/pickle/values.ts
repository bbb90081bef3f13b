/**
 * A value in a pickle: null, booleans, numbers, strings, Uint8Array for bytes, arrays for lists and tuples, Map for
 * dicts, or an object of a class below. Whole numbers beyond 2^53 are bigints.
 */
export type Value = unknown;

/** A global that a pickle may name: a Python class or function to which we give a harmless meaning. */
export class Global {
  constructor(
    /** module.name */
    readonly path: string,
    /** Returns the stand-in for the object that Python would create. */
    readonly call: (args: readonly Value[]) => Value,
  ) {}
}

/** An object of a class that is read as inert data. */
export class Opaque {
  /** What BUILD set, such as the fields of an argparse.Namespace. */
  state: Value = undefined;
  /** What was appended to the object, or set in it as keys and values. */
  readonly items: Value[] = [];

  constructor(
    readonly path: string,
    readonly args: readonly Value[],
  ) {}
}

/** The questions that the machine asks while it reads. */
export interface PickleHooks {
  /** The global `module.name`, or a stand-in if it is not allowed. */
  find(module: string, name: string): Value;
  /** The error about all globals that were asked for but are not allowed, if any. */
  refusal(): Error | undefined;
  persistent(id: Value): Value;
  /** Whether BUILD may be applied to this object. Its state is then dropped. */
  takesState(value: Value): boolean;
}
