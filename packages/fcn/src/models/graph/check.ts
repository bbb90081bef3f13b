import { TensorError } from "@fcn/tensor";
import { checkValue, checkValues, invalidArgument, showValue } from "@fcn/tensor/internal";
import { inferChannels } from "./geometry/channels.js";
import { coarsestStride } from "./geometry/reach.js";
import { geometryOf } from "./geometry/shapes.js";
import { KINDS, kindOf, LAYER_KINDS, type Layer } from "./kinds/index.js";
import { LIMITS, type Rule, rule } from "./kinds/rules.js";
import { type Graph, isInput, type Node } from "./spec.js";

/** Most characters in a graph's text. A net with a thousand layers has 200,000. */
const MOST_TEXT = 2 ** 22;
const MOST_NODES = 4096;
const MOST_HEADS = 64;
const MOST_INPUTS = 64;

type Plain = Readonly<Record<string, unknown>>;
type Rules = Readonly<Record<string, Rule>>;

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `__proto__` as a key would change an object's prototype. */
const isName = (value: unknown): boolean =>
  typeof value === "string" &&
  value.length > 0 &&
  value.length <= LIMITS.name &&
  !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(value) &&
  !value.split(".").includes("__proto__");

const name = rule(`a text of 1 to ${LIMITS.name} characters, none of them a control character`, isName);

const list = (what: string, least: number, most: number): Rule =>
  rule(
    `a list of ${least} to ${most} ${what}`,
    (value) => Array.isArray(value) && value.length >= least && value.length <= most,
  );

/** An object whose keys and values are names. */
const record = (least: number, most: number): Rule =>
  rule(`an object of ${least} to ${most} names`, (value) => {
    if (!isPlain(value)) return false;
    const entries = Object.entries(value);
    return entries.length >= least && entries.length <= most && entries.flat().every(isName);
  });

const GRAPH = {
  needed: { name, nodes: list("nodes", 1, MOST_NODES), outputs: record(1, MOST_HEADS) },
  optional: { headLabels: record(0, MOST_HEADS), aliases: record(0, MOST_NODES) },
} as const;
const NODE: Rules = { name, layer: rule("an object", isPlain), inputs: list("names", 0, MOST_INPUTS) };

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
  try {
    return checkedGraph(text);
  } catch (error) {
    throw new TensorError(
      {
        code: "invalid-file",
        message: `${op}: the graph of the net is not one: ${(error as Error).message}`,
        fix: {
          code: "write the file again with encodeModel or saveModel",
          command: "use a file that a training run wrote, and copy it again if it may be damaged",
        },
      },
      { cause: error },
    );
  }
}

/** An error that {@link parseGraph} passes on with a remedy. */
const fault = (problem: string): TensorError => invalidArgument(problem, "");

function checkedGraph(text: string): Graph {
  if (text.length > MOST_TEXT) throw fault(`its text has ${text.length} characters, more than ${MOST_TEXT}`);
  const graph = parseJson(text) as Graph;
  checkFields("the graph", graph, GRAPH.needed, GRAPH.optional);
  const known = checkNodes(graph.nodes);
  for (const field of ["outputs", "aliases"] as const) {
    const stray = Object.entries(graph[field] ?? {}).find(([, target]) => !known.has(target));
    if (stray !== undefined)
      throw fault(`its ${field} hold ${stray.map((own) => showValue(own)).join(": ")}, but no node is called that`);
  }
  for (const [node, count] of inferChannels(graph)) {
    if (count > LIMITS.channels) throw fault(`${node} has ${count} channels, more than ${LIMITS.channels}`);
  }
  const stride = coarsestStride(graph);
  if (!(stride <= LIMITS.extent)) throw fault(`its layers have a stride of ${stride}, more than ${LIMITS.extent}`);
  // Checks the offsets and places of all layers that do not depend on the size of an image.
  geometryOf(graph);
  return graph;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw fault("its text is not JSON");
  }
}

/** Throws unless a value is an object that has all needed fields, no unknown ones, and in each what its rule allows. */
function checkFields(at: string, value: unknown, needed: Rules, optional: Rules = {}): void {
  if (!isPlain(value)) throw fault(`${at} is not an object`);
  const fields: Rules = { ...optional, ...needed };
  const unknown = Object.keys(value).find((field) => !Object.hasOwn(fields, field));
  if (unknown !== undefined) throw fault(`${at} has a field ${showValue(unknown)}, which is unknown here`);
  const given = Object.entries(fields).filter(([field]) => Object.hasOwn(needed, field) || Object.hasOwn(value, field));
  checkValues(
    at,
    given.map(([field, own]) => [field, value[field], own]),
  );
}

/** Checks nodes one by one and returns their names. */
function checkNodes(nodes: readonly Node[]): ReadonlySet<string> {
  const known = new Set<string>();
  for (const node of nodes) {
    checkFields("a node", node, NODE);
    const { name, layer, inputs } = node;
    if (known.has(name)) throw fault(`two nodes are called ${name}`);
    const missing = inputs.find((input) => !known.has(input));
    if (missing !== undefined)
      throw fault(`node ${name} takes its input from ${showValue(missing)}, which no earlier node is called`);
    checkLayer(name, layer, inputs.length);
    known.add(name);
  }
  const images = nodes.filter(isInput).length;
  if (images !== 1) throw fault(`it has ${images} nodes of the kind input, expected one`);
  return known;
}

function checkLayer(node: string, layer: Layer, inputs: number): void {
  const { kind, ...fields } = layer;
  checkValue(`node ${node}`, "its kind", kind, KIND);
  const {
    needed,
    optional,
    inputs: [fewest, most],
  } = kindOf(layer);
  if (inputs < fewest || inputs > most) {
    const expected = fewest === most ? fewest : `${fewest} to ${most}`;
    throw fault(`node ${node}: a ${kind} has ${inputs} inputs, expected ${expected}`);
  }
  checkFields(`the ${kind} ${node}`, fields, needed, optional);
}

const KIND = rule(
  `one of ${LAYER_KINDS.join(", ")}`,
  (value) => typeof value === "string" && Object.hasOwn(KINDS, value),
);
