import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { models } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseGraph, stringifyGraph } from "../../../../packages/fcn/src/models/graph/check.js";
import { parameterShapes } from "../../../../packages/fcn/src/models/graph/parameters.js";
import { smallGraph } from "../../prediction/nets.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

type Json = Record<string, unknown>;

/** The small graph with a change, as text. */
function changed(change: (graph: Json & { nodes: Json[] }) => void): string {
  const graph = JSON.parse(JSON.stringify(smallGraph(3)));
  change(graph);
  return JSON.stringify(graph);
}

/** The small graph with other fields in the layer of the node at a place. */
const layer = (at: number, fields: Json): string =>
  changed(({ nodes }) => void Object.assign(nodes[at]!.layer as Json, fields));

const deep = (levels: number): string => `${"[".repeat(levels)}1${"]".repeat(levels)}`;

describe("the text of a graph", () => {
  it("is read as it was written, for every model that there is", () => {
    for (const name of models.list()) {
      const { graph } = models.graphOf(name, { numClasses: 3 });
      const { headLabels, aliases, ...rest } = graph;
      const whole = { ...rest, ...(headLabels && { headLabels }), ...(aliases && { aliases }) };
      expect(parseGraph("test", stringifyGraph("test", graph))).toEqual(JSON.parse(JSON.stringify(whole)));
    }
  });

  it("is, byte for byte, that of the files that people have", () => {
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
    const graphs = models.list().map((name) => [name, models.graphOf(name, { numClasses: 3 }).graph] as const);
    const found = graphs.map(([name, graph]) => [name, hash(stringifyGraph("test", graph))]);
    const golden = readFileSync(new URL("../../../golden/graphs.json", import.meta.url), "utf8");
    expect(Object.fromEntries(found)).toEqual(JSON.parse(golden));
  });

  it("tells the parameters of the net without making it", () => {
    for (const name of ["fcn8s-small", "d2l-resnet18", "fcn8s-googlenet", "unet-resnet18", "semantic-fpn-resnet18"]) {
      using net = models.create(name, device, { numClasses: 3, widthMultiplier: 0.125 });
      const own = Object.entries(net.stateDict()).map(([key, { shape }]) => [key, shape]);
      expect(parameterShapes(net.graph)).toEqual(Object.fromEntries(own));
    }
  });

  it.each<[string, string, RegExp]>([
    ["no JSON", "{", /not JSON/],
    ["no object", "[]", /not an object/],
    ["lists without an end", `{"name":${deep(100_000)}}`, /the graph of the net is not one/],
    ["more text than a graph has", `{"name":"${"x".repeat(2 ** 22)}"}`, /its text has \d+ characters/],
    ["an unknown field", changed((graph) => (graph.run = "code")), /a field "run"/],
    ["no name", changed((graph) => (graph.name = 5)), /the graph: name is 5/],
    ["no nodes", changed((graph) => (graph.nodes = [])), /nodes is \[\], expected a list of 1 to 4096 nodes/],
    [
      "too many nodes",
      changed(({ nodes }) => nodes.push(...new Array(5000).fill(nodes[1]))),
      /nodes is \[.*, expected a list of 1 to 4096 nodes/,
    ],
    ["two nodes of one name", changed(({ nodes }) => (nodes[2]!.name = "conv1")), /two nodes are called conv1/],
    [
      "a name with a line break",
      changed(({ nodes }) => (nodes[2]!.name = "a\nb")),
      /a node: name is "a\\nb", expected/,
    ],
    [
      "a name that objects have",
      changed(({ nodes }) => (nodes[2]!.name = "a.__proto__")),
      /a node: name is "a.__proto__"/,
    ],
    ["an input of a later node", changed(({ nodes }) => (nodes[1]!.inputs = ["up"])), /"up", which no earlier node/],
    ["an input that is no name", changed(({ nodes }) => (nodes[1]!.inputs = [{}])), /takes its input from {}/],
    ["too few inputs", changed(({ nodes }) => (nodes[1]!.inputs = [])), /a conv has 0 inputs, expected 1/],
    ["a crop without a reference", changed(({ nodes }) => (nodes[6]!.inputs = ["up"])), /a crop has 1 inputs/],
    ["two images", changed(({ nodes }) => (nodes[2] = { name: "b", layer: nodes[0]!.layer, inputs: [] })), /relu1/],
    ["a deep kind", layer(1, { kind: JSON.parse(deep(2000)) }), /its kind is \[\[\[\[\.\.\.\]\]\]\], expected one of/],
    ["a deep field", layer(1, { stride: JSON.parse(deep(2000)) }), /stride is \[\[\[\[\.\.\.\]\]\]\], expected/],
    ["an unknown kind", layer(1, { kind: "constructor" }), /its kind is "constructor", expected one of input, conv/],
    ["a field of another kind", layer(2, { kernelSize: 3 }), /the relu relu1 has a field "kernelSize"/],
    ["a missing field", layer(1, { outChannels: null }), /outChannels is null/],
    [
      "a kernel of half a pixel",
      layer(1, { kernelSize: 2.5 }),
      /the conv conv1: kernelSize is 2.5, expected a whole number/,
    ],
    ["a kernel of three sides", layer(1, { kernelSize: [3, 3, 3] }), /kernelSize is \[3,3,3\]/],
    ["a kernel of no end", layer(1, { kernelSize: 1e9 }), /kernelSize is 1000000000/],
    ["a kernel as text", layer(1, { kernelSize: "3" }), /kernelSize is "3"/],
    ["a stride of 0", layer(1, { stride: 0 }), /stride is 0/],
    [
      "padding below 0",
      layer(1, {
        padding: [
          [1, -1],
          [0, 0],
        ],
      }),
      /padding is \[\[1,-1\],\[0,0\]\]/,
    ],
    ["an unknown initial value", layer(1, { init: { deviation: "x" } }), /init is/],
    ["more channels than a net has", layer(1, { outChannels: 2 ** 40 }), /outChannels is/],
    ["groups that divide nothing", layer(1, { groups: 2 }), /2 groups do not divide 3 and 4 channels/],
    [
      "an output that is no node",
      changed((graph) => (graph.outputs = { out: "nope" })),
      /its outputs hold "out": "nope"/,
    ],
    ["no output", changed((graph) => (graph.outputs = {})), /outputs is {}, expected an object of 1 to 64 names/],
    ["outputs as a list", changed((graph) => (graph.outputs = ["out"])), /outputs is \["out"\], expected an object/],
    ["aliases of nothing", changed((graph) => (graph.aliases = { a: 5 })), /aliases is {"a":5}, expected an object/],
    ["places that no integer holds", strides(12, 4096), /a stride of|the graph of the net is not one/],
    ["strides that no number holds", strides(100, 4096), /a stride of/],
    [
      "sums of two sizes of channels",
      changed(({ nodes }) => {
        nodes[2] = { name: "relu1", layer: { kind: "add" }, inputs: ["conv1", "data"] };
      }),
      /must have the same number|different places/,
    ],
    ["channels without end", doubled(60), /channels, more than/],
  ])("is refused with %s", (_, text, problem) => {
    let error: unknown;
    try {
      parseGraph("test", text);
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: "invalid-file", message: expect.stringMatching(problem) });
    expect((error as Error).message.length).toBeLessThan(400);
  });

  it("is not written where it could not be read", () => {
    const graph = { ...smallGraph(3), outputs: { out: "nope" } };
    expect(() => stringifyGraph("encodeModel", graph)).toThrow(
      expect.objectContaining({ code: "invalid-argument", message: expect.stringMatching(/^encodeModel: .*"nope"/) }),
    );
  });
});

/** Convolutions of a large stride one after the other. */
function strides(count: number, stride: number): string {
  const builder = new models.GraphBuilder("strides");
  let at = builder.add("data", { kind: "input", channels: 3 });
  for (let i = 0; i < count; i++)
    at = builder.add(`c${i}`, { kind: "conv", outChannels: 1, kernelSize: 1, stride }, at);
  return JSON.stringify(builder.build({ out: at }));
}

/** Features that are doubled again and again. */
function doubled(count: number): string {
  const builder = new models.GraphBuilder("doubled");
  let at = builder.add("data", { kind: "input", channels: 3 });
  for (let i = 0; i < count; i++) at = builder.add(`c${i}`, { kind: "concat" }, at, at);
  return JSON.stringify(builder.build({ out: at }));
}
