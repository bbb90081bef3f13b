import { TensorError } from "../plain/errors.js";
import type { Block } from "./blocks.js";
import type { CommandRecorder } from "./commands.js";
import { notReplayable } from "./errors.js";
import type { Apart, Memory } from "./memory.js";
import { type Command, difference, type Replay } from "./recording.js";

/** The commands of a function, ready to be given to the GPU again, with the memory that they use. */
export interface Recording {
  readonly apart: Apart;
  readonly replay: Replay;
  readonly owner: Owner;
}

/** Who keeps a recording. */
export interface Owner {
  /** Whether the work can no longer be done, because what it uses is gone. */
  readonly isOver: () => boolean;
  /** Called when the memory of the recording is needed elsewhere. */
  readonly onForgotten: () => void;
}

/** Notes the commands of a function while it runs, and gives them to the GPU again without the function. */
export class Repeater {
  /** What the function did that cannot be replayed. */
  #problem: TensorError | undefined;
  #isLenient = false;
  /** Results in memory set apart that someone may still read, who disposes of them then. */
  lent: readonly { readonly disposed: boolean }[] = [];
  /** Recordings, that of longest ago first. */
  readonly #kept = new Set<Recording>();

  constructor(
    private readonly commands: CommandRecorder,
    private readonly memory: Memory,
  ) {
    memory.forgetOldest = () => {
      const [oldest] = this.#kept;
      if (oldest) this.forget(oldest);
      return oldest !== undefined;
    };
  }

  get isRecording(): boolean {
    return this.commands.recording !== undefined;
  }

  /** Whether recorded work must wait, since it might overwrite what is lent. */
  get isLent(): boolean {
    return this.lent.some(({ disposed }) => !disposed);
  }

  /** Throws `not-replayable` while commands are noted, or only keeps it in mind; `what` says what the function does. */
  assertRepeatable(what: string): void {
    if (!this.isRecording) return;
    this.#problem ??= notReplayable(what);
    if (!this.#isLenient) throw this.#problem;
  }

  /**
   * Runs `fn` and returns the commands that it recorded. Throws `not-replayable` if it did what cannot be replayed,
   * even where that was caught; leniently, it returns that in place of the commands.
   */
  note(fn: () => void, isLenient: boolean): readonly Command[] | TensorError {
    this.assertRepeatable("it calls a captured function");
    const recording: Command[] = [];
    this.commands.recording = recording;
    this.#problem = undefined;
    this.#isLenient = isLenient;
    try {
      fn();
    } finally {
      this.commands.recording = undefined;
    }
    const problem = this.#problem as TensorError | undefined;
    if (problem && !isLenient) throw problem;
    return problem ?? recording;
  }

  /**
   * Records the commands of `fn`, which must be those that it noted `before`, in memory set apart. `prepare` runs
   * before it in the same memory, and is not recorded.
   */
  record(
    before: readonly Command[],
    prepare: () => void,
    fn: () => void,
    isLenient: boolean,
    owner: Owner,
  ): Recording | TensorError {
    for (const earlier of this.#kept) if (earlier.owner.isOver()) this.forget(earlier);
    const blocks = new Set<Block>();
    try {
      let noted: readonly Command[] | TensorError = [];
      const bytes = this.memory.apart(blocks, () => {
        prepare();
        noted = this.note(fn, isLenient);
      });
      const commands = noted as readonly Command[] | TensorError;
      const change = commands instanceof TensorError ? undefined : difference(before, commands);
      const result = change === undefined ? commands : notReplayable(change);
      if (!(result instanceof TensorError)) {
        const recording = { apart: { blocks, bytes }, replay: this.commands.prepare(result), owner };
        this.#kept.add(recording);
        return recording;
      }
      if (!isLenient) throw result;
      this.#release(blocks);
      return result;
    } catch (error) {
      this.#release(blocks);
      throw error;
    }
  }

  #release(blocks: ReadonlySet<Block>): void {
    this.memory.free(blocks);
    this.#yield(blocks);
  }

  /** Forgets other recordings that use memory which the recorded function has kept for good. */
  settle(recording: Recording): void {
    this.#yield(recording.apart.blocks, recording);
  }

  #yield(blocks: ReadonlySet<Block>, own?: Recording): void {
    const kept = [...blocks].filter(({ isHeld, users }) => isHeld && users > (own ? 1 : 0));
    for (const other of this.#kept) {
      if (other !== own && kept.some((block) => other.apart.blocks.has(block))) this.forget(other);
    }
  }

  /** Does work of the host now, and again in each replay of what is being recorded. */
  each(run: () => void): void {
    const { recording } = this.commands;
    this.commands.recording = undefined;
    try {
      run();
    } finally {
      this.commands.recording = recording;
    }
    recording?.push({ kind: "call", run });
  }

  replay(recording: Recording): void {
    // Memory that is needed meanwhile does not come from it.
    this.#kept.delete(recording);
    this.memory.reuse(recording.apart);
    try {
      this.commands.replay(recording.replay);
    } finally {
      this.#kept.add(recording);
    }
  }

  /** Frees what replaying takes, and the memory that was set apart. */
  forget(recording: Recording): void {
    if (!this.#kept.delete(recording)) return;
    this.commands.flush();
    recording.replay.destroy();
    this.memory.free(recording.apart.blocks);
    recording.owner.onForgotten();
  }
}
