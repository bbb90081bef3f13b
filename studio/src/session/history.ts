import type { Session } from "./types.js";

/**
 * The states that a session went through, for undo and redo without limit. States are never changed in place and share
 * what is equal between them, so that one more costs about as much as what differs.
 */
export class History {
  readonly #states: Session[];
  #at = 0;

  constructor(first: Session) {
    this.#states = [first];
  }

  get present(): Session {
    return this.#states[this.#at] as Session;
  }

  get canUndo(): boolean {
    return this.#at > 0;
  }

  get canRedo(): boolean {
    return this.#at + 1 < this.#states.length;
  }

  /** Goes on to `next`; what was undone before can no longer be redone. The present state itself changes nothing. */
  do(next: Session): Session {
    if (next === this.present) return next;
    this.#states.splice(++this.#at, Number.POSITIVE_INFINITY, next);
    return next;
  }

  /** Goes back one state and returns it; the first state stays. */
  undo(): Session {
    if (this.canUndo) this.#at--;
    return this.present;
  }

  /** Goes on to the state that was undone last and returns it; without one, the present stays. */
  redo(): Session {
    if (this.canRedo) this.#at++;
    return this.present;
  }

  /** The images of all states: each may come back by undo or redo, so their files have to be kept. */
  imageIds(): ReadonlySet<string> {
    return new Set(this.#states.flatMap(({ images }) => images.map(({ id }) => id)));
  }
}
