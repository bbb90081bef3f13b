import { BINDING_ALIGNMENT, type Dummy, FAULT_WORDS, type Step } from "@fcn/kernels";
import { defect, invalidArgument, limitExceeded } from "../plain/errors.js";
import { type BufferRange, USAGE } from "./buffers.js";
import type { CommandRecorder } from "./commands.js";
import type { GuardedDevice } from "./guarded.js";
import type { Storage } from "./storage.js";

type Operands = Readonly<Record<string, Storage>>;

/** Finds the part of a GPU buffer that a step binds: an operand or a part of it, a dummy, or the fault record. */
export class Binder {
  readonly #dummies = new Map<string, GPUBuffer>();

  constructor(
    private readonly gpu: GuardedDevice,
    private readonly commands: CommandRecorder,
    private readonly fault: GPUBuffer,
    private readonly bindingLimit: number,
    private readonly allocate: (op: string, bytes: number) => Storage,
  ) {}

  /**
   * The range for one binding. Adds work that must follow the dispatch to `after`. Throws `limit-exceeded` if the
   * operand is larger than one binding.
   */
  bind(op: string, step: Step, name: string, access: string, operands: Operands, after: (() => void)[]): BufferRange {
    const use = step.operands[name];
    if (use === undefined) throw defect(`${op}: the plan of ${step.kernel.name} binds no operand to ${name}`);
    if (typeof use !== "string" && "dummy" in use) return this.#dummy(use);
    if (typeof use !== "string" && "fault" in use) return { buffer: this.fault, offset: 0, size: FAULT_WORDS * 4 };
    const operand = typeof use === "string" ? use : use.operand;
    const storage = operands[operand];
    if (!storage) throw defect(`${op}: the plan names an operand ${operand} that was not given`);
    const begin = typeof use === "string" ? 0 : use.byteOffset;
    const length = Math.max(4, typeof use === "string" ? storage.byteLength : use.byteLength);
    if (length > this.bindingLimit) {
      throw limitExceeded(
        `${op}: operand ${operand} needs ${length} bytes in one binding, this device binds at most ${this.bindingLimit}`,
        "use a smaller batch or image, or cut the input into tiles",
      );
    }
    const parts = storage.parts(begin, begin + length);
    const [first] = parts;
    // A part of halves may begin between the places at which a binding may.
    if (first && parts.length === 1 && first.offset % BINDING_ALIGNMENT === 0) {
      const size = Math.min(Math.ceil(length / 16) * 16, first.block.size - first.offset);
      return { buffer: first.block.buffer, offset: first.offset, size };
    }
    return this.#gathered(op, parts, begin, length, access, after);
  }

  /** Copies a part that spans several buffers, or is not aligned, into one, and back again if the kernel writes it. */
  #gathered(
    op: string,
    parts: ReturnType<Storage["parts"]>,
    begin: number,
    length: number,
    access: string,
    after: (() => void)[],
  ): BufferRange {
    const whole = this.allocate(op, length);
    const { buffer, size } = whole.blocks[0]!;
    for (const part of parts) this.commands.copy(part.block.buffer, part.offset, buffer, part.at - begin, part.length);
    after.push(() => {
      if (access === "read_write") {
        for (const part of parts) {
          this.commands.copy(buffer, part.at - begin, part.block.buffer, part.offset, part.length);
        }
      }
      whole.release();
    });
    return { buffer, offset: 0, size };
  }

  #dummy({ dummy }: Dummy): BufferRange {
    let buffer = this.#dummies.get(dummy);
    if (!buffer) {
      buffer = this.gpu.createBuffer({ label: `dummy ${dummy}`, size: 256, usage: USAGE.storage });
      this.#dummies.set(dummy, buffer);
    }
    return { buffer, offset: 0, size: 256 };
  }
}

/**
 * Throws if a buffer that a kernel writes is bound twice: WebGPU refuses that, as the result would depend on the order.
 */
export function checkApart(
  op: string,
  bindings: readonly { readonly name: string; readonly access: string }[],
  ranges: readonly BufferRange[],
): void {
  for (const [i, { name, access }] of bindings.entries()) {
    if (access !== "read_write") continue;
    const other = ranges.findIndex(({ buffer }, j) => j !== i && buffer === ranges[i]!.buffer);
    if (other < 0) continue;
    throw invalidArgument(
      `${op}: operand ${bindings[other]!.name} shares its memory with ${name}, which the op changes`,
      {
        code: "pass tensors that do not share memory: views and the results of detach() share that of their tensor",
      },
    );
  }
}
