import { corruptFile, type Place, unsupportedFile } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { BadPickle, Cursor, OutOfBytes } from "./cursor.js";
import { Machine } from "./machine.js";
import { stepTable } from "./opcodes.js";
import type { PickleHooks, Value } from "./values.js";

const PROTO = 0x80;
const STOP = 0x2e;
const NEWEST = 5;

/** Each step creates a bounded amount of data. A state dict takes about twenty steps per tensor. */
const MAX_STEPS = 4_000_000;
const MAX_BYTES = 2 ** 27;
const FIRST_READ = 2 ** 16;

/** The fix for a file that holds more than weights. */
export const SAVE_STATE_DICT = "save only the weights in PyTorch: torch.save(model.state_dict(), path)";

export interface Unpickled {
  readonly value: Value;
  /** Bytes of the pickle. */
  readonly length: number;
}

/**
 * Reads a pickle (protocols 0 to 5) as data. Nothing is ever executed: the hooks say what each global stands for, and
 * refuse all others in one error that lists their names. Not recursive; the number of steps and the size are bounded.
 */
export function unpickle(at: Place, bytes: Uint8Array, hooks: PickleHooks): Unpickled {
  try {
    return allowed(interpret(at, bytes, hooks), hooks);
  } catch (error) {
    throw readable(at, error, hooks);
  }
}

/** As {@link unpickle}, for a pickle of unknown length: reads more of the source until the pickle ends. */
export async function unpickleFrom(source: Source, begin: number, hooks: PickleHooks): Promise<Unpickled> {
  for (let length = FIRST_READ; ; length *= 4) {
    const end = Math.min(begin + Math.min(length, MAX_BYTES), source.size);
    const bytes = new Uint8Array(await source.read(Math.min(begin, end), end));
    try {
      return allowed(interpret(source, bytes, hooks), hooks);
    } catch (error) {
      const more = error instanceof OutOfBytes && end < source.size && length < MAX_BYTES;
      if (!more) throw readable(source, error, hooks);
    }
  }
}

/** One error lists all refused names, so the pickle is read to its end first. */
function allowed(result: Unpickled, hooks: PickleHooks): Unpickled {
  const refusal = hooks.refusal();
  if (refusal !== undefined) throw refusal;
  return result;
}

/** If a stand-in for a refused name cannot do what the pickle needs, the error should be about the name. */
function readable(at: Place, error: unknown, hooks: PickleHooks): unknown {
  if (error instanceof BadPickle && hooks.refusal() !== undefined) return hooks.refusal();
  if (error instanceof OutOfBytes) return corruptFile(at, "its pickle ends in the middle");
  return error instanceof BadPickle ? corruptFile(at, `its pickle is damaged: ${error.message}`) : error;
}

function interpret(at: Place, bytes: Uint8Array, hooks: PickleHooks): Unpickled {
  const steps = stepTable();
  const cursor = new Cursor(bytes);
  const machine = new Machine(cursor, hooks);
  for (let count = 0; count < MAX_STEPS; count++) {
    const opcode = cursor.uint8();
    if (opcode === STOP) return { value: machine.pop(), length: cursor.at };
    if (opcode === PROTO) checkProtocol(at, cursor.uint8());
    else {
      const step = steps.get(opcode);
      if (step === undefined) throw new BadPickle(`it has the unknown opcode 0x${opcode.toString(16)}`);
      step(machine);
    }
  }
  throw unsupportedFile(at, `its pickle has more than ${MAX_STEPS} steps`, SAVE_STATE_DICT);
}

function checkProtocol(at: Place, version: number): void {
  if (version > NEWEST) throw unsupportedFile(at, `its pickle has protocol ${version}`, "save it with protocol 2");
}
