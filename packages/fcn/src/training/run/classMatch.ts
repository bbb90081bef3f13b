import type { io } from "@fcn/tensor";
import { isFullyConnected } from "../../models/graph/kinds/conv.js";
import { scoreLayers, scoreUpsampling } from "../../models/graph/scoreLayers.js";
import type { Graph } from "../../models/graph/spec.js";
import { convertDeconvBlob, isOtherForm } from "../../models/graph/weights/deconvBlobs.js";
import type { ClassMap } from "../../surgery/heads.js";
import type { HeadLabels } from "../heads.js";

/**
 * For each class of `own`, its index among `theirs`, by name, or undefined if it is not there. Returns undefined if the
 * rows stay as they are, because the names are the same or one side has none.
 */
export function matchClasses(own: readonly string[], theirs: readonly string[]): ClassMap | undefined {
  if (isUnnamed(own) || isUnnamed(theirs)) return undefined;
  const [wanted, found] = [plain(own), plain(theirs)];
  if (wanted.join("\n") === found.join("\n")) return undefined;
  return wanted.map((name) => (found.includes(name) ? found.indexOf(name) : undefined));
}

const plain = (names: readonly string[]): string[] => names.map((name) => name.trim().toLowerCase());

/** Whether these are the names that data gets if it does not name its classes. */
const isUnnamed = (names: readonly string[]): boolean => names.every((name, label) => name === `class ${label}`);

/** The layers with numbers for each class of `labels`. Heads that learn from extra labels have other classes. */
export function classLayers(
  graph: Graph,
  headLabels: HeadLabels,
): { scores: string[]; upsampling: ReadonlySet<string> } {
  const outputs = Object.entries(graph.outputs).filter(([head]) => !Object.hasOwn(headLabels, head));
  const part = { ...graph, outputs: Object.fromEntries(outputs) };
  return { scores: scoreLayers(part), upsampling: scoreUpsampling(part) };
}

interface Merge {
  readonly classes: ClassMap;
  /** Number of classes in the file. */
  readonly count: number;
  /** Dense upsampling weights, [C, C, k, k], have a column for each class too. */
  readonly isUpsampling: boolean;
}

/**
 * The values of `own`, which has one row per class, with the rows of `file` for the classes that the file has. Returns
 * undefined if the file's array does not fit.
 */
export function mergeRows(
  name: string,
  file: io.HostArray,
  own: io.HostArray,
  { classes, count, isUpsampling }: Merge,
): io.HostArray | undefined {
  const [rows, columns, ...rest] = own.shape;
  const isDense = isUpsampling && columns === rows && classes.length > 1;
  const given = inForm(name, file, isDense ? [count, count, ...rest] : [count, ...own.shape.slice(1)]);
  if (given === undefined) return undefined;
  const data = Float32Array.from(own.data as ArrayLike<number>);
  const area = data.length / (isDense ? classes.length ** 2 : classes.length);
  const copy = (to: number, from: number): void => {
    for (let i = 0; i < area; i++) data[to * area + i] = Number(given.data[from * area + i]);
  };
  for (const [i, row] of classes.entries()) {
    if (row === undefined) continue;
    if (!isDense) copy(i, row);
    else
      for (const [j, column] of classes.entries())
        if (column !== undefined) copy(i * classes.length + j, row * count + column);
  }
  return { dtype: "float32", shape: own.shape, data };
}

/** The array in the wanted shape, converted as a net would convert it. */
function inForm(name: string, file: io.HostArray, wanted: readonly number[]): io.HostArray | undefined {
  const { shape } = file;
  if (shape.join() === wanted.join()) return file;
  if (isFullyConnected(shape, wanted)) return { ...file, shape: wanted };
  if (!isOtherForm(shape, wanted)) return undefined;
  return convertDeconvBlob(name, { ...file, data: file.data as ArrayLike<number> }, wanted) as io.HostArray;
}
