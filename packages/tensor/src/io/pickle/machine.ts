import { brief } from "../../plain/errors.js";
import { BadPickle, type Cursor, decodeUtf8 } from "./cursor.js";
import { Global, Opaque, type PickleHooks, type Value } from "./values.js";

/** The longest whole number, in bytes or digits, since parsing takes quadratic time. */
const MAX_NUMBER = 1024;

/** A pickle is a program for this stack machine. It builds data; the hooks say what globals mean. */
export class Machine {
  readonly #stack: Value[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();

  constructor(
    readonly cursor: Cursor,
    private readonly hooks: PickleHooks,
  ) {}

  push(value: Value): void {
    this.#stack.push(value);
  }

  pop(): Value {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw new BadPickle("its stack is empty where a value is needed");
    return this.#stack.pop();
  }

  /** The value on top, without removing it. */
  top(): Value {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** Removes and returns all values above the last mark. */
  popMark(): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw new BadPickle("it has no mark where one is needed");
    return this.#stack.splice(mark);
  }

  /** POP also removes a mark, if nothing is above it. */
  discard(): void {
    if (this.#stack.length === this.#marks.at(-1)) this.#marks.pop();
    else this.pop();
  }

  store(index: number): void {
    this.#memo.set(index, this.top());
  }

  /** MEMOIZE numbers the values consecutively. */
  memoize(): void {
    this.store(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw new BadPickle(`it recalls value ${index}, which it never stored`);
    this.push(this.#memo.get(index));
  }

  append(items: readonly Value[]): void {
    const list = this.top();
    const target = list instanceof Opaque ? list.items : list;
    if (!Array.isArray(target)) throw new BadPickle("it appends to something that is not a list");
    for (const item of items) target.push(item);
  }

  setItems(items: readonly Value[]): void {
    if (items.length % 2 === 1) throw new BadPickle("it has a key without a value");
    const dict = this.top();
    if (dict instanceof Map) for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    else if (dict instanceof Opaque) this.append(items);
    else throw new BadPickle("it sets items of something that is not a dict");
  }

  addItems(items: readonly Value[]): void {
    const set = this.top();
    if (!(set instanceof Set)) throw new BadPickle("it adds to something that is not a set");
    for (const item of items) set.add(item);
  }

  find(module: Value, name: Value): Value {
    if (typeof module !== "string" || typeof name !== "string")
      throw new BadPickle("it names a global by something that is not a string");
    return this.hooks.find(module, name);
  }

  /** Stands for a call of `callee`. Nothing is executed except the callee's entry in the table of globals. */
  call(callee: Value, args: Value): void {
    if (!(callee instanceof Global)) throw new BadPickle("it calls something that is neither a class nor a function");
    if (!Array.isArray(args)) throw new BadPickle(`it calls ${callee.path} with arguments that are not a tuple`);
    this.push(callee.call(args));
  }

  build(state: Value): void {
    const target = this.top();
    if (target instanceof Opaque) target.state = state;
    else if (!this.hooks.takesState(target)) throw new BadPickle("it sets the state of an object that has none");
  }

  persistent(id: Value): void {
    this.push(this.hooks.persistent(id));
  }
}

/** Little-endian two's complement. */
export function parseLong(bytes: Uint8Array): number | bigint {
  if (bytes.length > MAX_NUMBER) throw new BadPickle(`it has a number of ${bytes.length} bytes`);
  if (bytes.length === 0) return 0;
  let digits = "";
  for (const byte of bytes) digits = byte.toString(16).padStart(2, "0") + digits;
  return narrow(BigInt.asIntN(8 * bytes.length, BigInt(`0x${digits}`)));
}

/** A whole number in decimal. Python 2 wrote an L after a long. */
export function parseDecimal(text: string): number | bigint {
  if (text.length > MAX_NUMBER || !/^[+-]?\d+L?$/.test(text)) throw new BadPickle(`it has the number ${brief(text)}`);
  return narrow(BigInt(text.replace(/[+L]/g, "")));
}

const narrow = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

/** Bytes as Latin-1, as Python 2 pickled byte strings unchanged. */
export function decodeByteString(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    // A decoder of "latin1" reads Windows-1252 instead.
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}
