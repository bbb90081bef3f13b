import { defect } from "../errors.js";
import type { WgslFunction } from "./functions.js";

/** The row, with its numbers s and t, that computes an op of two operands when one of them is a number. */
export type NumberForm = (value: number) => {
  readonly row: NamedRow & { readonly arity: 1 };
  readonly s: number;
  readonly t?: number;
};

/**
 * One row an op. Expressions are WGSL over the type T of the inputs (f32 or vec4f, i32 or vec4i) and R of the result,
 * with the names a, b (inputs), c (a condition: int32, of the type C), y (output), g (gradient of y) and the numbers
 * p.s, p.t. `da`, `db` are the gradients.
 * WGSL does not define what max, min, clamp and comparisons do with NaN: `isNan(x)` reads the bits, and a row that uses
 * these functions says with it what NaN gives. `calls` lists what is called besides WGSL's own. Expressions are plain
 * strings, since bundlers keep a call whose strings have parts to put in.
 *
 * A row with a doc comment is a public function of @fcn/tensor that takes its operands and nothing else: the build
 * makes it from the row, under its name and with that comment.
 */
export interface PointwiseRow {
  readonly arity: 1 | 2 | 3;
  /** The type of the inputs where it is not float32; `gives` is that of the result. */
  readonly takes?: "int32";
  readonly gives?: "int32";
  readonly forward: string;
  /** The same over int32 operands, which gives int32; absent where integers are refused. */
  readonly integer?: string;
  /** Whether two int32 operands are converted to float32 first. */
  readonly promotes?: true;
  /** A gradient that is 0 everywhere is not computed. */
  readonly da?: string;
  readonly db?: string;
  /** How the row is computed where operand a or b is a number; without a form the number becomes a tensor. */
  readonly numberA?: NumberForm;
  readonly numberB?: NumberForm;
  /** The functions in functions.ts that expressions call. */
  readonly calls?: readonly WgslFunction[];
  /** The same in float64, for tests. */
  readonly reference: (a: number, b: number, s: number, t: number) => number;
}

export interface NamedRow extends PointwiseRow {
  readonly name: string;
}

const rows = new Map<string, NamedRow>();

/** Names a row. Plans are made of names, and find the rows by them. */
export function row<const Name extends string, const Row extends PointwiseRow>(
  name: Name,
  given: Row,
): Row & { readonly name: Name } {
  const named = { ...given, name };
  rows.set(name, named);
  return named;
}

/** The row of a name. Throws where whoever plans has not imported it. */
export function rowNamed(name: string): NamedRow {
  const found = rows.get(name);
  if (!found) throw defect(`no pointwise row ${name} was imported`);
  return found;
}
