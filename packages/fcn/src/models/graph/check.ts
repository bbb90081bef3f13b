import { TensorError } from "@fcn/tensor";
import { invalidArgument, showValue } from "@fcn/tensor/internal";
import { inferChannels } from "./geometry/channels.js";
import { coarsestStride } from "./geometry/reach.js";
import { geometryOf } from "./geometry/shapes.js";
import { KINDS, LAYER_KINDS, type LayerKind } from "./kinds/index.js";
import { LIMITS, type Rule } from "./kinds/rules.js";
import { type Graph, isInput, type Node } from "./spec.js";

/** Most characters in a graph's text. A net with a thousand layers has 200,000. */
const MOST_TEXT = 2 ** 22;
const MOST_NODES = 4096;
const MOST_HEADS = 64;
const MOST_INPUTS = 64;

const FIELDS = ["name", "nodes", "outputs", "headLabels", "aliases"] as const;

/** A graph as text for a weights file. Throws `invalid-argument` if {@link parseGraph} would refuse to read it. */
export function stringifyGraph(op: string, graph: Graph): string {
  const fields = FIELDS.filter((field) => graph[field] !== undefined);
  const text = JSON.stringify(Object.fromEntries(fields.map((field) => [field, graph[field]])));
  try {
    parseGraph(op, text);
  } catch (error) {
    const { message } = error as Error;
    throw invalidArgument(message, "correct that part of the graph and build the net anew");
  }
  return text;
}

/**
 * Parses a graph from an untrusted text. Checks every kind of layer, name, size and number, and that together they form
 * a net. Makes nothing on a device and runs nothing that it reads. Every error is `invalid-file`.
 */
export function parseGraph(op: string, text: string): Graph {
  const fail = (problem: string): never => {
    throw new TensorError({
      code: "invalid-file",
      message: `${op}: the graph of the net is not one: ${problem}`,
      fix: {
        code: "write the file again with encodeModel or saveModel",
        command: "use a file that a training run wrote, and copy it again if it may be damaged",
      },
    });
  };
  if (text.length > MOST_TEXT) fail(`its text has ${text.length} characters, more than ${MOST_TEXT}`);
  let graph: unknown;
  try {
    graph = JSON.parse(text);
  } catch {
    fail("its text is not JSON");
  }
  try {
    const problem = graphProblem(graph);
    if (problem !== undefined) fail(problem);
    checkWhole(graph as Graph, fail);
  } catch (error) {
    if (error instanceof TensorError && error.code === "invalid-file") throw error;
    // A RangeError: a size too large for an integer, or lists nested too deep to show.
    fail((error as Error).message);
  }
  return graph as Graph;
}

function checkWhole(graph: Graph, fail: (problem: string) => never): void {
  const channels = inferChannels(graph);
  for (const [name, count] of channels) {
    if (count > LIMITS.channels) fail(`${name} has ${count} channels, more than ${LIMITS.channels}`);
  }
  const stride = coarsestStride(graph);
  if (!(stride <= LIMITS.extent)) fail(`its layers have a stride of ${stride}, more than ${LIMITS.extent}`);
  // Checks the offsets and places of all layers that do not depend on the size of an image.
  geometryOf(graph);
}

type Plain = Readonly<Record<string, unknown>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with a value of any kind, or undefined if it has the types of a graph. */
function graphProblem(graph: unknown): string | undefined {
  if (!isPlain(graph)) return "it is not an object";
  const unknown = Object.keys(graph).find((field) => !(FIELDS as readonly string[]).includes(field));
  if (unknown !== undefined) return `it has a field ${showValue(unknown)}, which is unknown here`;
  const { name, nodes, outputs, headLabels = {}, aliases = {} } = graph;
  if (!isName(name)) return `its name is ${showValue(name)}`;
  if (!Array.isArray(nodes) || nodes.length === 0) return "it has no list of nodes";
  if (nodes.length > MOST_NODES) return `it has ${nodes.length} nodes, more than ${MOST_NODES}`;
  const known = new Set<string>();
  let inputs = 0;
  for (const node of nodes) {
    const problem = nodeProblem(node, known);
    if (problem !== undefined) return problem;
    known.add((node as Node).name);
    if (isInput(node as Node)) inputs++;
  }
  if (inputs !== 1) return `it has ${inputs} nodes of the kind input, expected one`;
  return (
    recordProblem("outputs", outputs, (target) => known.has(target)) ??
    (Object.keys(outputs as Plain).length === 0 ? "it has no outputs" : undefined) ??
    recordProblem("headLabels", headLabels, () => true) ??
    recordProblem("aliases", aliases, (target) => known.has(target), MOST_NODES)
  );
}

function nodeProblem(node: unknown, known: ReadonlySet<string>): string | undefined {
  if (!isPlain(node)) return "a node is not an object";
  const { name, layer, inputs, ...rest } = node;
  if (!isName(name)) return `a node is called ${showValue(name)}`;
  const [stray] = Object.keys(rest);
  if (stray !== undefined) return `node ${name} has a field ${showValue(stray)}, which is unknown here`;
  if (known.has(name)) return `two nodes are called ${name}`;
  if (!Array.isArray(inputs) || inputs.length > MOST_INPUTS) return `node ${name} has no list of inputs`;
  const missing = inputs.find((input) => !known.has(input as string));
  if (missing !== undefined)
    return `node ${name} takes its input from ${showValue(missing)}, which no earlier node is called`;
  if (!isPlain(layer)) return `the layer of node ${name} is not an object`;
  const problem = layerProblem(layer, inputs.length);
  return problem === undefined ? undefined : `node ${name}: ${problem}`;
}

/** What is wrong with a layer that has this many inputs, or undefined if its kind and fields are valid. */
function layerProblem({ kind, ...fields }: Plain, inputs: number): string | undefined {
  if (typeof kind !== "string" || !Object.hasOwn(KINDS, kind)) {
    return `its kind is ${showValue(kind)}, expected one of ${LAYER_KINDS.join(", ")}`;
  }
  const {
    needed,
    optional,
    inputs: [fewest, most],
  } = KINDS[kind as LayerKind];
  if (inputs < fewest || inputs > most) {
    return `a ${kind} has ${inputs} inputs, expected ${fewest === most ? fewest : `${fewest} to ${most}`}`;
  }
  const known: Readonly<Record<string, Rule>> = { ...optional, ...needed };
  for (const [field, value] of Object.entries(fields)) {
    const own = Object.hasOwn(known, field) ? known[field] : undefined;
    if (own === undefined) return `a ${kind} has no ${showValue(field)}`;
    if (value === undefined || own.holds(value)) continue;
    return `its ${field} is ${showValue(value)}, expected ${own.what}`;
  }
  const missing = Object.keys(needed).find((field) => fields[field] === undefined);
  return missing && `a ${kind} needs ${missing}`;
}

function recordProblem(
  field: string,
  value: unknown,
  isTarget: (text: string) => boolean,
  most = MOST_HEADS,
): string | undefined {
  if (!isPlain(value)) return `its ${field} are not an object`;
  const entries = Object.entries(value);
  if (entries.length > most) return `its ${field} are ${entries.length}, more than ${most}`;
  const wrong = entries.find(([key, text]) => !isName(key) || !isName(text) || !isTarget(text));
  return wrong && `its ${field} hold ${showValue(wrong[0])}: ${showValue(wrong[1])}`;
}

/** Any text without control characters. `__proto__` as a key would change an object's prototype. */
const isName = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length > 0 &&
  value.length <= LIMITS.name &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value) &&
  !value.split(".").includes("__proto__");
