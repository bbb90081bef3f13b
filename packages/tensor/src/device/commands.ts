import { type Grid, PARAMS_BYTES } from "@fcn/kernels";
import { BindGroupCache } from "./bindGroups.js";
import { type BufferRange, USAGE } from "./buffers.js";
import type { Failures } from "./failures.js";
import type { GuardedDevice } from "./guarded.js";
import type { Prepared } from "./pipelines.js";
import { type Command, Replay } from "./recording.js";

/** Bytes of one uniform slot: enough for every kernel's Params, and for the largest alignment of any adapter. */
const SLOT = PARAMS_BYTES;
const DISPATCHES_PER_SUBMIT = 64;

/**
 * Records dispatches into one encoder with one open compute pass. Their parameters go into one uniform buffer, which is
 * written once per submit. WebGPU orders the dispatches of a pass, so no barriers are needed.
 */
export class CommandRecorder {
  /** Number of the batch that is being recorded. */
  batch = 0;
  /** Where all commands are noted as well, to be replayed. */
  recording: Command[] | undefined;
  #endWatch: (() => void) | undefined;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #dispatches = 0;
  /** Dispatches whose parameters lie in the uniform buffer. */
  #slots = 0;
  readonly #uniforms: GPUBuffer;
  readonly #params = new Uint8Array(SLOT * DISPATCHES_PER_SUBMIT);
  readonly #bindGroups: BindGroupCache;

  constructor(
    private readonly gpu: GuardedDevice,
    private readonly failures: Failures,
  ) {
    this.#uniforms = gpu.createBuffer({
      label: "uniforms",
      size: SLOT * DISPATCHES_PER_SUBMIT,
      usage: USAGE.uniform | USAGE.copyDst,
    });
    this.#bindGroups = new BindGroupCache(gpu, { buffer: this.#uniforms, size: SLOT });
  }

  dispatch(prepared: Prepared, ranges: readonly BufferRange[], grid: Grid): void {
    this.recording?.push({ kind: "dispatch", prepared, ranges, grid });
    if (this.#dispatches === DISPATCHES_PER_SUBMIT) this.flush();
    const offset = this.#slots++ * SLOT;
    this.#params.set(prepared.params, offset);
    // A buffer that was refused fails here already, which is watched from now on.
    this.#open();
    this.#encode(prepared, this.#bindGroups.get(prepared.pipeline.layout, ranges), offset, grid);
  }

  /** Makes what replaying commands takes. */
  prepare(commands: readonly Command[]): Replay {
    this.#open();
    return new Replay(this.gpu, commands);
  }

  /** Records what was noted before once more. */
  replay({ commands }: Replay): void {
    for (const command of commands) {
      if (command.kind === "call") {
        command.run();
      } else if (command.kind === "copy") {
        this.copy(command.from, command.fromOffset, command.to, command.toOffset, command.bytes);
      } else {
        if (this.#dispatches === DISPATCHES_PER_SUBMIT) this.flush();
        this.#encode(command.prepared, command.group, command.offset, command.grid);
      }
    }
  }

  #encode({ pipeline }: Prepared, group: GPUBindGroup, offset: number, [x, y, z]: Grid): void {
    const encoder = this.#open();
    this.gpu.call(() => {
      this.#pass ??= encoder.beginComputePass();
      this.#pass.setPipeline(pipeline.handle);
      this.#pass.setBindGroup(0, group, [offset]);
      this.#pass.dispatchWorkgroups(x, y, z);
    });
    this.#dispatches++;
  }

  copy(from: GPUBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    this.recording?.push({ kind: "copy", from, fromOffset, to, toOffset, bytes });
    this.between((encoder) => encoder.copyBufferToBuffer(from, fromOffset, to, toOffset, bytes));
  }

  /** Records what does not belong in a pass, and is not noted to be replayed. */
  between(record: (encoder: GPUCommandEncoder) => void): void {
    this.#closePass();
    const encoder = this.#open();
    this.gpu.call(() => record(encoder));
  }

  flush(): void {
    const endWatch = this.#endWatch;
    this.#endWatch = undefined;
    this.#submit();
    endWatch?.();
  }

  #submit(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#closePass();
    const commands = this.gpu.call(({ queue }) => {
      const bytes = this.#slots * SLOT;
      if (bytes > 0) queue.writeBuffer(this.#uniforms, 0, this.#params, 0, bytes);
      return encoder.finish();
    });
    this.#encoder = undefined;
    this.#dispatches = 0;
    this.#slots = 0;
    this.batch++;
    this.gpu.submit(commands);
  }

  destroy(): void {
    this.#endWatch = undefined;
    this.#encoder = undefined;
    this.#pass = undefined;
    this.gpu.destroyBuffer(this.#uniforms, SLOT * DISPATCHES_PER_SUBMIT);
  }

  #open(): GPUCommandEncoder {
    this.#endWatch ??= this.failures.watch();
    this.#encoder ??= this.gpu.call((device) => device.createCommandEncoder());
    return this.#encoder;
  }

  #closePass(): void {
    const pass = this.#pass;
    this.#pass = undefined;
    if (pass) this.gpu.call(() => pass.end());
  }
}
