import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io, nn, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../data/trees.js";
import { makeSample, RAW, smallGraph, smallNet } from "../../prediction/nets.js";
import { weightsOf } from "../../training/states.js";

const root = await temporaryFolder("fcn-weights-file");

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

describe("encodeModel and loadModel", () => {
  it("carry a net that was built as a graph and trained, with nothing said of it", async () => {
    using net = smallNet(device);
    const settings = { preprocessing: RAW, numClasses: 3, steps: 2, learningRate: 1e-4 };
    await fcn.train({ model: net, data: [makeSample()], ...settings });
    const bytes = await fcn.encodeModel(net);
    const { model, metadata } = await fcn.loadModel(bytes, device);
    expect(await weightsOf(model)).toEqual(await weightsOf(net));
    expect(model.graph).toEqual(JSON.parse(JSON.stringify(net.graph)));
    expect(metadata).toMatchObject({
      ...{ model: "small", options: { numClasses: 3 }, preprocessing: RAW },
      classes: ["class 0", "class 1", "class 2"],
      palette: [
        [0, 0, 0],
        [128, 0, 0],
        [0, 128, 0],
      ],
    });
    const options = { preprocessing: RAW };
    expect(await fcn.predict({ model, metadata }, makeSample().image)).toEqual(
      await fcn.predict(net, makeSample().image, options),
    );
    // It goes through again as it is, and its training goes on.
    expect(await fcn.encodeModel(model, metadata)).toEqual(bytes);
    await fcn.train({ model, data: [makeSample()], ...settings });
    expect(await fcn.encodeModel(model)).not.toEqual(bytes);
    model.dispose();
  });

  it("take a path, a URL and bytes of either kind, and saveModel writes the same", async () => {
    using net = smallNet(device);
    const metadata = { classes: ["a", "b", "c"], preprocessing: RAW };
    const bytes = await fcn.encodeModel(net, metadata);
    const path = join(root, "small.safetensors");
    await fcn.saveModel(path, net, metadata);
    expect(new Uint8Array(await readFile(path))).toEqual(bytes);
    const buffer = bytes.slice().buffer;
    for (const source of [path, pathToFileURL(path), bytes, buffer, new Blob([buffer]), new Response(buffer)]) {
      const loaded = await fcn.loadModel(source, device);
      expect(loaded.metadata.classes).toEqual(["a", "b", "c"]);
      loaded.model.dispose();
    }
  });

  it("tell a net of models.create by its name and options", async () => {
    using net = fcn.models.create("fcn16s-small", device, { numClasses: 4, widthMultiplier: 0.25, dropout: 0.1 });
    for (const given of [{}, { model: "fcn16s-small" }]) {
      const strings = await io.readSafetensorsMetadata(await fcn.encodeModel(net, given));
      expect(Object.keys(strings).sort()).toEqual(["classes", "model", "options", "palette", "preprocessing"]);
      expect(JSON.parse(strings.options as string)).toEqual({ numClasses: 4, widthMultiplier: 0.25, dropout: 0.1 });
    }
    const lost = { model: "fcn16s-small", options: { numClasses: 4 } };
    await expect(fcn.encodeModel(net, lost)).rejects.toThrow(/the net is not fcn16s-small with the options/);
    await expect(fcn.encodeModel(net, { model: "fcn16s-smal" })).rejects.toThrow(/no model called "fcn16s-smal"/);
  });

  it("may call the option backboneStride trunkStride", async () => {
    using net = fcn.models.create("fcn8s-vgg16", device, {
      numClasses: 2,
      widthMultiplier: 1 / 32,
      backboneStride: 16,
    });
    const bytes = await fcn.encodeModel(net);
    const text = new TextDecoder("latin1").decode(bytes);
    const former = text.replace('\\"backboneStride\\":', '\\"trunkStride\\":   ');
    expect(former).toHaveLength(text.length);
    const loaded = await fcn.loadModel(
      Uint8Array.from(former, (c) => c.charCodeAt(0)),
      device,
    );
    expect(loaded.metadata.options).toEqual((await fcn.loadModel(bytes, device)).metadata.options);
    expect(loaded.metadata.options).toMatchObject({ backboneStride: 16 });
  });

  it("refuse metadata that do not fit the net, and a module that no file can describe", async () => {
    using net = smallNet(device);
    const wrong: [Partial<fcn.ModelMetadata>, RegExp][] = [
      [{ classes: ["a", "b"] }, /metadata names 2 classes, the net scores 3/],
      [{ preprocessing: { channelOrder: "rgb", mean: [0], std: [1] } }, /not that of images with 3 channels/],
      [{ model: "fcn8s-small" }, /the net is not fcn8s-small/],
    ];
    for (const [metadata, message] of wrong) await expect(fcn.encodeModel(net, metadata)).rejects.toThrow(message);
    class Own extends nn.Module {
      readonly score = new nn.Conv2d(device, 3, 3, { kernelSize: 1 });
      override forward(x: Tensor): Tensor {
        return this.score.forward(x) as Tensor;
      }
    }
    await expect(fcn.encodeModel(new Own(), { classes: ["a"] })).rejects.toMatchObject({
      code: "invalid-argument",
      fix: expect.stringContaining("GraphBuilder"),
    });
  });

  it("keep the heads of a net with several", async () => {
    const graph: fcn.Graph = {
      ...smallGraph(3),
      outputs: { sem: "out", geo: "conv2" },
      headLabels: { geo: "geometric" },
    };
    using net = new fcn.GraphNet<Record<"sem" | "geo", Tensor>>(device, graph, 1);
    const { model } = await fcn.loadModel(await fcn.encodeModel(net), device);
    expect(model.graph).toMatchObject({ outputs: graph.outputs, headLabels: graph.headLabels });
    model.dispose();
  });

  it("never build what a damaged or hostile file asks for beyond what it holds", async () => {
    using net = smallNet(device);
    const bytes = await fcn.encodeModel(net);
    const [strings, arrays] = [await io.readSafetensorsMetadata(bytes), await io.readSafetensors(bytes)];
    const huge = JSON.parse(strings.graph as string);
    huge.nodes[1].layer.outChannels = 2 ** 20;
    const cases: [Record<string, string>, RegExp][] = [
      [{ graph: JSON.stringify(huge) }, /the given bytes: its graph needs \d+ values, and it holds \d+/],
      [{ graph: "{" }, /the graph of the net is not one: its text is not JSON/],
      [{ classes: '["a"]' }, /scores 3 classes, and it names 1/],
      [{ classes: '{"length":3}' }, /"classes" of the weights file is not a list of names/],
      [{ palette: "[[0,0,999]]" }, /"palette" .* is not a list of colours/],
      [{ preprocessing: '{"mean":[1]}' }, /"preprocessing" .* is not/],
      [{ preprocessing: '{"channelOrder":"rgb","mean":[1],"std":[1]}' }, /takes 3 channels, and .* for 1/],
    ];
    const before = device.memory();
    for (const [change, message] of cases) {
      const file = await io.encodeSafetensors(arrays, { metadata: { ...strings, ...change } });
      await expect(fcn.loadModel(file, device)).rejects.toMatchObject({
        code: "invalid-file",
        message: expect.stringMatching(message),
      });
    }
    expect(device.memory().liveBytes).toBe(before.liveBytes);
    const { "score.bias": _, ...less } = arrays;
    const padded = { ...less, spare: arrays["conv2.weight"]! };
    const file = await io.encodeSafetensors(padded, { metadata: strings });
    await expect(fcn.loadModel(file, device)).rejects.toMatchObject({ code: "state-dict-mismatch" });
  });
});
