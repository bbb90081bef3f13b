import { show, TensorError } from "../plain/errors.js";

/** What a scope needs to know about a tensor. */
export interface Held {
  readonly shape: readonly number[];
  readonly disposed: boolean;
  dispose(): void;
}

/** One scope: the tensors that it owns, and those that its function keeps. */
export class Frame {
  readonly made = new Set<Held>();
  readonly kept = new Set<Held>();
}

/** The open scopes of one device, the innermost last. A tensor belongs to the innermost scope that is open. */
export class ScopeStack {
  readonly #frames: Frame[] = [];
  /** Tensors that were freed at the end of a scope. */
  readonly #freed = new WeakSet<object>();

  add(tensor: Held): void {
    this.#frames.at(-1)?.made.add(tensor);
  }

  remove(tensor: Held): void {
    for (const frame of this.#frames) frame.made.delete(tensor);
  }

  /** The error for using a disposed tensor; `what` names the tensor. */
  disposed(tensor: Held, what: string): TensorError {
    const byScope = this.#freed.has(tensor);
    return new TensorError({
      code: "disposed",
      message: byScope
        ? `${what} was used after the device.scope that owned it had ended`
        : `${what} was used after it was disposed`,
      fix: byScope
        ? "return it from its device.scope or hand it to scope.keep(tensor); while a scope is open, it owns everything that is made on the device, so await each scope before the next begins"
        : "dispose it after the last use",
    });
  }

  open(): Frame {
    const frame = new Frame();
    this.#frames.push(frame);
    return frame;
  }

  /** Closes a scope, and frees the tensors it owns except those that were kept or that `result` contains. */
  close(frame: Frame, result: unknown): void {
    const overlaps = this.#frames.at(-1) !== frame;
    this.#frames.splice(this.#frames.indexOf(frame), 1);
    const survivors = new Set<object>(frame.kept);
    collect(result, survivors);
    for (const tensor of frame.made) {
      // A tensor that an outer scope keeps is passed outwards, one scope at a time.
      if (survivors.has(tensor) || this.#frames.some(({ kept }) => kept.has(tensor))) this.add(tensor);
      else this.#free(tensor);
    }
    if (overlaps) {
      throw new TensorError({
        code: "scope-overlap",
        message: "device.scope: a scope ended while one that was opened after it was still open",
        fix: { code: "await each scope before the next begins, or nest one inside the other" },
      });
    }
    for (const survivor of survivors) {
      if (!this.#freed.has(survivor)) continue;
      throw this.disposed(
        survivor as Held,
        `device.scope: the returned tensor of shape ${show((survivor as Held).shape)}`,
      );
    }
  }

  #free(tensor: Held): void {
    tensor.dispose();
    this.#freed.add(tensor);
  }
}

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
