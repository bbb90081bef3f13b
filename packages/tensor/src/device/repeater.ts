import type { TensorError } from "../plain/errors.js";
import type { Arena } from "./blocks.js";
import type { CommandRecorder } from "./commands.js";
import { notReplayable } from "./errors.js";
import type { Memory } from "./memory.js";
import type { Command, Replay } from "./recording.js";

/** Notes the commands of a function while it runs, and gives them to the GPU again without the function. */
export class Repeater {
  /** What the function did that cannot be replayed, if it went on after the error. */
  #problem: TensorError | undefined;

  constructor(
    private readonly commands: CommandRecorder,
    private readonly memory: Memory,
  ) {}

  get isRecording(): boolean {
    return this.commands.recording !== undefined;
  }

  /** Throws `not-replayable` while commands are noted; `what` says what the function does. */
  assertRepeatable(what: string): void {
    if (!this.isRecording) return;
    this.#problem ??= notReplayable(what);
    throw this.#problem;
  }

  /**
   * Runs `fn`, whose memory is set apart in `arena`. Returns the commands that it recorded. Throws `not-replayable` if
   * it did what cannot be replayed, even where that was caught.
   */
  record(arena: Arena, fn: () => void): readonly Command[] {
    this.assertRepeatable("it calls a captured function");
    const recording: Command[] = [];
    this.commands.recording = recording;
    this.#problem = undefined;
    try {
      this.memory.within(arena, fn);
    } finally {
      this.commands.recording = undefined;
    }
    if (this.#problem) throw this.#problem;
    return recording;
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

  prepare(commands: readonly Command[]): Replay {
    return this.commands.prepare(commands);
  }

  replay(replay: Replay): void {
    this.commands.replay(replay);
  }

  /** Frees what replaying takes, and the memory that was set apart. */
  end(replay: Replay | undefined, arena: Arena): void {
    this.commands.flush();
    replay?.destroy();
    this.memory.dissolve(arena);
  }
}
