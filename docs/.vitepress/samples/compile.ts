import { parse } from "acorn";
import { transform } from "sucrase";

/** What a compiled sample may call. */
export interface Surroundings {
  readonly require: (name: string) => unknown;
  readonly console: Pick<Console, "log" | "info" | "warn" | "error">;
  /** Called with the number of each sample as it begins. */
  readonly begin: (sample: number) => void;
}

/** Runs samples one after another; resolves with the value of the last expression, if the last one ends in one. */
export type Compiled = (surroundings: Surroundings) => Promise<unknown>;

const NAMES = ["require", "console", "__begin"];
const AsyncFunction = (async () => {}).constructor as new (
  ...text: string[]
) => (...args: unknown[]) => Promise<unknown>;

/** Has a program return the value of its last statement, where that is an expression. */
function returningLast(code: string): string {
  const { body } = parse(code, { ecmaVersion: "latest", allowAwaitOutsideFunction: true });
  const last = body.at(-1);
  if (last?.type !== "ExpressionStatement") return code;
  return `${code.slice(0, last.start)}return (${code.slice(last.expression.start, last.expression.end)});`;
}

/** The samples of a page, which share their names, as one function. Throws a `SyntaxError` for what is no TypeScript. */
export function compile(samples: readonly string[]): Compiled {
  const text = samples.map((sample, i) => `__begin(${i});\n${sample}`).join("\n");
  const { code } = transform(text, { transforms: ["typescript", "imports"], disableESTransforms: true });
  const run = new AsyncFunction(...NAMES, returningLast(code));
  return ({ require, console, begin }) => run(require, console, begin);
}
