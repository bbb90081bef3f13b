import { show, TensorError } from "./errors.js";

/** What a scope needs to know about a tensor. */
export interface Held {
  readonly shape: readonly number[];
  readonly disposed: boolean;
  dispose(): void;
}

export class Frame {
  /** The tensors that this scope owns. The value is the outer scope that may have made the tensor instead, if any. */
  readonly made = new Map<Held, Frame | undefined>();
  readonly kept = new Set<Held>();
  isOpen = true;
}

/** The open scopes of one device, the innermost last. */
export class ScopeStack {
  readonly #frames: Frame[] = [];
  /** The scope whose function is running; undefined after an await, when any open scope's function may be running. */
  #running: Frame | undefined;
  /** Tensors freed at the end of a scope although the given outer scope may have made them. */
  readonly #doubtful = new WeakMap<object, Frame>();

  /** Registers a tensor with the scope that makes it. After an await, that is assumed to be the innermost scope. */
  add(tensor: Held): void {
    const owner = this.#running ?? this.#frames.at(-1);
    owner?.made.set(tensor, this.#running ? undefined : this.#frames.at(-2));
  }

  /** Runs the part of a scope's function before its first await. */
  run<T>(frame: Frame, fn: () => T): T {
    const before = this.#running;
    this.#running = frame;
    try {
      return fn();
    } finally {
      this.#running = before;
    }
  }

  /** The error for using a disposed tensor; `what` names the tensor. */
  disposed(tensor: Held, what: string): TensorError {
    if (this.#doubtful.get(tensor)?.isOpen)
      return overlap(`${what} was freed by a scope that began after the one that is open`);
    return new TensorError({
      code: "disposed",
      message: `${what} was used after it was disposed`,
      fix: "return it from its device.scope or hand it to scope.keep(tensor), and dispose it after the last use",
    });
  }

  remove(tensor: Held): void {
    for (const frame of this.#frames) frame.made.delete(tensor);
  }

  open(): Frame {
    const frame = new Frame();
    this.#frames.push(frame);
    return frame;
  }

  /** Closes a scope, and frees the tensors it owns except those that were kept or that `result` contains. */
  close(frame: Frame, result: unknown): void {
    const overlaps = this.#frames.at(-1) !== frame;
    const index = this.#frames.indexOf(frame);
    if (index >= 0) this.#frames.splice(index, 1);
    frame.isOpen = false;
    const survivors = new Set<object>(frame.kept);
    collect(result, survivors);
    for (const [tensor, outer] of frame.made) {
      // A tensor that an outer scope keeps is passed outwards, one scope at a time.
      if (survivors.has(tensor) || this.#frames.some(({ kept }) => kept.has(tensor))) this.add(tensor);
      else tensor.dispose();
      if (outer && tensor.disposed) this.#doubtful.set(tensor, outer);
    }
    if (overlaps) throw overlap("a scope ended while one that was opened after it was still open");
    for (const survivor of survivors) {
      if (this.#doubtful.get(survivor) !== frame) continue;
      const { disposed, shape } = survivor as Held;
      if (disposed)
        throw overlap(`a tensor of shape ${show(shape)} that a scope returns was freed by one that began after it`);
    }
  }
}

const overlap = (what: string): TensorError =>
  new TensorError({
    code: "scope-overlap",
    message: `device.scope: ${what}`,
    fix: {
      code: "await each scope before the next begins, or nest one inside the other and return from it what is used outside",
    },
  });

/** Collects the tensors inside the arrays, maps, sets and plain objects of a result. */
function collect(value: unknown, into: Set<object>): void {
  if (typeof value !== "object" || value === null || into.has(value) || ArrayBuffer.isView(value)) return;
  into.add(value);
  const inner = value instanceof Map || value instanceof Set ? [...value.values()] : plainValues(value);
  for (const item of inner) collect(item, into);
}

function plainValues(value: object): unknown[] {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}
