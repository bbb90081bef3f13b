/** Deeper than any model description, but keeps a hostile text from exhausting the stack. */
const MAX_DEPTH = 200;

const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const KEY = /[A-Za-z_$][\w$]*|\d+/y;
const SPACE = /\s*/y;
const CONSTANTS: readonly (readonly [string, unknown])[] = [
  ["!0", true],
  ["!1", false],
  ["true", true],
  ["false", false],
  ["null", null],
  ["void 0", undefined],
];
type Quote = '"' | "'";
/** The content of a string up to its end or the next backslash. */
const PLAIN: { readonly [Q in Quote]: RegExp } = { '"': /[^"\\]*/y, "'": /[^'\\]*/y };
const CODES: Readonly<Record<string, RegExp>> = { x: /[\da-fA-F]{2}/y, u: /[\da-fA-F]{4}/y };
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f", v: "\v", 0: "\0" };

/** Where and why a text is not a data literal. */
export class LiteralError extends Error {}

/**
 * Reads the JavaScript data literal that starts at `start`: objects, arrays, strings, numbers, null, `!0` and `!1`,
 * which is how minifiers write JSON. The text is read, never run. Returns the value and where it ends. Throws {@link
 * LiteralError} for anything else.
 */
export function parseLiteral(text: string, start: number): { value: unknown; end: number } {
  const reader = new LiteralReader(text, start);
  const value = reader.value(0);
  return { value, end: reader.at };
}

class LiteralReader {
  constructor(
    private readonly text: string,
    public at: number,
  ) {}

  value(depth: number): unknown {
    if (depth > MAX_DEPTH) throw this.error(`it is nested more than ${MAX_DEPTH} levels deep`);
    this.skip();
    const first = this.text[this.at];
    if (first === "{") return Object.fromEntries(this.list("{", "}", () => this.entry(depth + 1)));
    if (first === "[") return this.list("[", "]", () => this.value(depth + 1));
    if (first === '"' || first === "'") return this.string(first);
    const constant = CONSTANTS.find(([word]) => this.text.startsWith(word, this.at));
    if (constant !== undefined) {
      this.at += constant[0].length;
      return constant[1];
    }
    const number = this.match(NUMBER);
    if (number === undefined) throw this.error("a value was expected");
    return Number(number);
  }

  private list<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    const items: T[] = [];
    while (!this.accept(close)) {
      if (items.length > 0) this.expect(",");
      items.push(item());
    }
    return items;
  }

  private entry(depth: number): [string, unknown] {
    this.skip();
    const quote = this.text[this.at];
    const key = quote === '"' || quote === "'" ? this.string(quote) : this.match(KEY);
    if (key === undefined) throw this.error("a key was expected");
    this.expect(":");
    return [key, this.value(depth)];
  }

  private string(quote: Quote): string {
    const parts: string[] = [];
    this.at++;
    for (;;) {
      parts.push(this.match(PLAIN[quote]) ?? "");
      const end = this.text[this.at++];
      if (end === quote) return parts.join("");
      if (end === undefined) throw this.error("a string does not end");
      parts.push(this.escaped());
    }
  }

  /** What a backslash and the characters after it stand for. */
  private escaped(): string {
    const letter = this.text[this.at++] ?? "";
    const pattern = CODES[letter];
    if (pattern === undefined) return ESCAPES[letter] ?? letter;
    const code = this.match(pattern);
    if (code === undefined) throw this.error("a string has a damaged escape");
    return String.fromCharCode(Number.parseInt(code, 16));
  }

  private accept(mark: string): boolean {
    this.skip();
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  private expect(mark: string): void {
    if (!this.accept(mark)) throw this.error(`"${mark}" was expected`);
  }

  private skip(): void {
    this.match(SPACE);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private error(problem: string): LiteralError {
    return new LiteralError(`${problem} at character ${this.at}`);
  }
}
