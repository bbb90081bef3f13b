import type { TensorError } from "@fcn/tensor";
import { applyRule, type LabelPlane, type LabelRule } from "../decode/rule.js";
import { fileError } from "../files/errors.js";
import { type MatNumeric, type MatValue, readMat } from "./read.js";

/**
 * Reads the label map in a MAT-file: a matrix, found by the name of its variable and then of fields (`["GTcls",
 * "Segmentation"]`). Throws a TensorError that names `file` and says what is there instead.
 */
export async function decodeMatLabels(
  file: string,
  bytes: Uint8Array,
  path: readonly string[],
  rule: LabelRule,
): Promise<LabelPlane> {
  const matrix = findMatrix(file, await readMat(file, bytes), path);
  const [height, width] = matrix.shape as [number, number];
  const keys = new Int32Array(height * width);
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const value = matrix.data[x * height + y] as number;
      keys[y * width + x] = value;
      if (keys[y * width + x] !== value) throw noWholeNumber(file, path, value, x, y);
    }
  }
  return applyRule({ height, width, keys }, rule);
}

/** Converting would truncate a fraction and turn NaN into 0. */
function noWholeNumber(file: string, path: readonly string[], value: number, x: number, y: number): TensorError {
  const problem = `its label matrix ${path.join(".")} holds ${value} (column ${x}, row ${y}), which is not a whole number`;
  return fileError("label-out-of-range", file, problem, "store whole numbers as labels");
}

function findMatrix(file: string, variables: ReadonlyMap<string, MatValue>, path: readonly string[]): MatNumeric {
  const [variable = "", ...fields] = path;
  let value = variables.get(variable);
  if (value === undefined) throw absent(file, path, `its variables are ${[...variables.keys()].join(", ") || "none"}`);
  for (const field of fields) {
    const record: Readonly<Record<string, MatValue>> = value.kind === "struct" ? (value.elements[0] ?? {}) : {};
    value = Object.hasOwn(record, field) ? record[field] : undefined;
    if (value === undefined)
      throw absent(file, path, `the fields there are ${Object.keys(record).join(", ") || "none"}`);
  }
  if (value.kind !== "numeric" || value.shape.length !== 2 || value.data.length === 0) {
    throw absent(file, path, `it is a ${value.kind} of shape [${value.shape}], not a matrix`);
  }
  return value;
}

function absent(file: string, path: readonly string[], found: string): TensorError {
  const fix = "check that the file belongs to this data set";
  return fileError("corrupt-file", file, `it has no label matrix ${path.join(".")}: ${found}`, fix);
}
