import type { Roots } from "../../places/roots.js";
import type { Run, TakenChunk } from "../runs/spec.js";
import type { Advance, Fold } from "../runs/tend.js";
import type { Connection } from "../server/connection.js";
import type { Session } from "./session.js";

/** What workers do for one kind of run. */
export interface Kind {
  /**
   * Does a chunk, which may have been done before. Returns its part, small and plain, or undefined if the part is a
   * file.
   */
  work(run: Run, chunk: TakenChunk, session: Session, connection: Connection): Promise<unknown>;
  /** Makes one part of several, so that their number does not grow with that of the chunks; absent if none adds up. */
  readonly fold?: Fold;
  /** What remains when all chunks are done or given up. */
  advance(run: Run, session: Session, connection: Connection): Promise<Advance>;
  /**
   * Removes what only a running run needs; does nothing if that is gone. A worker passes its roots, which the person
   * who cancels a run needs not.
   */
  cleanUp(run: Run, roots?: Roots): Promise<void>;
}
