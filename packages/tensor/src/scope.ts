import { TensorError } from "./device/errors.js";
import type { Tensor } from "./tensor.js";

/** What the function of `device.scope` receives. */
export interface Scope {
  /** Keeps a tensor alive after the scope ends (it belongs to the enclosing scope, if any). Returns it. */
  keep<T extends Tensor>(tensor: T): T;
}

class Frame implements Scope {
  readonly made = new Set<Tensor>();
  readonly kept = new Set<Tensor>();

  keep<T extends Tensor>(tensor: T): T {
    this.kept.add(tensor);
    return tensor;
  }
}

/** The open scopes of one device, innermost last. */
export class ScopeStack {
  readonly #frames: Frame[] = [];

  /** Registers a tensor with the innermost scope. */
  add(tensor: Tensor): void {
    this.#frames.at(-1)?.made.add(tensor);
  }

  remove(tensor: Tensor): void {
    for (const frame of this.#frames) frame.made.delete(tensor);
  }

  open(): Frame {
    const frame = new Frame();
    this.#frames.push(frame);
    return frame;
  }

  /** Closes a scope: what it made is freed but for what was kept and what `result` holds. */
  close(frame: Frame, result: unknown): void {
    const overlaps = this.#frames.at(-1) !== frame;
    const index = this.#frames.indexOf(frame);
    if (index >= 0) this.#frames.splice(index, 1);
    const survivors = new Set<unknown>(frame.kept);
    collect(result, survivors);
    for (const tensor of frame.made) {
      if (survivors.has(tensor)) this.add(tensor);
      else tensor.dispose();
    }
    if (overlaps) {
      throw new TensorError({
        code: "scope-overlap",
        message: "device.scope: a scope ended while one that was opened after it was still open",
        fix: "await each scope before the next begins, or nest one inside the other",
      });
    }
  }
}

/** Tensors inside arrays, maps and plain objects of a result. */
function collect(value: unknown, into: Set<unknown>): void {
  if (typeof value !== "object" || value === null || into.has(value) || ArrayBuffer.isView(value)) return;
  into.add(value);
  if (isTensor(value)) return;
  const inner = value instanceof Map || value instanceof Set ? [...value.values()] : plainValues(value);
  for (const item of inner) collect(item, into);
}

const isTensor = (value: object): value is Tensor => "storage" in value && "order" in value;

function plainValues(value: object): unknown[] {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === Object.prototype || prototype === null ? Object.values(value) : [];
}
