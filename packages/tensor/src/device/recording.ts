import { type Grid, PARAMS_BYTES } from "@fcn/kernels";
import { BindGroupCache } from "./bindGroups.js";
import { type BufferRange, USAGE } from "./buffers.js";
import type { GuardedDevice } from "./guarded.js";
import type { Prepared } from "./pipelines.js";

/** One dispatch with all that it binds. */
export interface Dispatch {
  readonly kind: "dispatch";
  readonly prepared: Prepared;
  readonly ranges: readonly BufferRange[];
  readonly grid: Grid;
}

/** A copy from buffer to buffer, in bytes. */
export interface Copy {
  readonly kind: "copy";
  readonly from: GPUBuffer;
  readonly fromOffset: number;
  readonly to: GPUBuffer;
  readonly toOffset: number;
  readonly bytes: number;
}

/** Work of the host, such as a dispatch whose parameters change from run to run. */
export interface Call {
  readonly kind: "call";
  readonly run: () => void;
}

export type Command = Dispatch | Copy | Call;

/** A dispatch that is ready to be encoded: its bind group, and the place of its parameters. */
export interface BoundDispatch extends Dispatch {
  readonly group: GPUBindGroup;
  readonly offset: number;
}

/** Commands that can be encoded again and again: parameters lie on the GPU, and bind groups are made. */
export class Replay {
  readonly commands: readonly (BoundDispatch | Copy | Call)[];
  readonly #uniforms: GPUBuffer;
  readonly #bytes: number;

  constructor(
    private readonly gpu: GuardedDevice,
    commands: readonly Command[],
  ) {
    const dispatches = commands.filter((command) => command.kind === "dispatch");
    this.#bytes = PARAMS_BYTES * Math.max(1, dispatches.length);
    this.#uniforms = gpu.createBuffer({
      label: "uniforms",
      size: this.#bytes,
      usage: USAGE.uniform | USAGE.copyDst,
    });
    const params = new Uint8Array(this.#bytes);
    const groups = new BindGroupCache(gpu, { buffer: this.#uniforms, size: PARAMS_BYTES });
    let offset = 0;
    this.commands = commands.map((command) => {
      if (command.kind !== "dispatch") return command;
      const { prepared, ranges } = command;
      params.set(prepared.params, offset);
      const bound = { ...command, group: groups.get(prepared.pipeline.layout, ranges), offset };
      offset += PARAMS_BYTES;
      return bound;
    });
    gpu.call(({ queue }) => queue.writeBuffer(this.#uniforms, 0, params));
  }

  destroy(): void {
    this.gpu.destroyBuffer(this.#uniforms, this.#bytes);
  }
}

/** What the second list does other than the first, in a few words; undefined if they do the same in any memory. */
export function difference(first: readonly Command[], second: readonly Command[]): string | undefined {
  const [a, b] = [first.map(describe), second.map(describe)];
  const at = a.findIndex((text, i) => text !== b[i]);
  const place = at >= 0 ? at : a.length;
  if (place === a.length && a.length === b.length) return undefined;
  const name = (text: string | undefined): string => text?.split(" ", 1)[0] ?? "nothing";
  const [before, after] = [name(a[place]), name(b[place])];
  const what = before === after ? `${after} with other sizes or values` : `${after} in place of ${before}`;
  return `its second call did ${what} as command ${place + 1} of ${a.length}`;
}

function describe(command: Command): string {
  if (command.kind === "call") return "call";
  if (command.kind === "copy") return `copy ${command.bytes}`;
  const { prepared, ranges, grid } = command;
  // The key begins with the name of the kernel.
  return [prepared.pipeline.key, grid, prepared.params, ...ranges.map(({ size }) => size)].join(" ");
}
