/**
 * What a pickle is read as: null, booleans, numbers, strings, Uint8Array for bytes, arrays for lists and tuples, Map
 * for dicts, and the objects below. Whole numbers beyond 2^53 are bigints.
 */
export type Value = unknown;

/** A global that a pickle may name: a class or function of Python with a harmless meaning of our own. */
export class Global {
  constructor(
    /** module.name */
    readonly path: string,
    /** What stands for the object that Python would make. */
    readonly call: (args: readonly Value[]) => Value,
  ) {}
}

/** An object of a class that is read as inert data. */
export class Opaque {
  /** What BUILD set, as the fields of an argparse.Namespace. */
  state: Value = undefined;
  /** What was appended to the object, or put into it as key and value. */
  readonly items: Value[] = [];

  constructor(
    readonly path: string,
    readonly args: readonly Value[],
  ) {}
}

/** What the machine asks for while it reads. */
export interface PickleHooks {
  /** The global `module.name`, or what stands for one that is not allowed. */
  find(module: string, name: string): Value;
  /** The error about all globals that were asked for and are not allowed. */
  refusal(): Error | undefined;
  /** What a persistent id stands for. */
  persistent(id: Value): Value;
  /** Whether BUILD may follow on this object; its state is then dropped. */
  takesState(value: Value): boolean;
}
