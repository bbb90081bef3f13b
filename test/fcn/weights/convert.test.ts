import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { data, loadModel, models, weights } from "@fcn/core";
import { createDevice, io } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { caffemodel } from "../../support/caffe.js";
import { fcn as command } from "../../support/commandLine.js";
import { refusal } from "../../support/refusals.js";
import { nsfwjsModel } from "../../support/tfjs-files.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "convert-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const golden = (name: string) => fileURLToPath(new URL(`../../golden/pth/${name}`, import.meta.url));
const f32 = (shape: number[], start = 0): io.HostArray => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => start + i),
});
const ARRAYS = { w: f32([2, 3]), long: { dtype: "int64", shape: [], data: BigInt64Array.of(-7n) } } as const;

describe("convert", () => {
  it.each(["safetensors", "npz"])("from and to %s keeps every value", async (ending) => {
    await io.writeSafetensors(at("in.safetensors"), ARRAYS, { metadata: { model: "x", note: "é" } });
    await io.writeNpz(at("in.npz"), ARRAYS);
    const reads = { safetensors: io.readSafetensors, npz: io.readNpz };
    for (const input of ["in.safetensors", "in.npz"]) {
      const out = at(`out.${ending}`);
      const report = await weights.convert(at(input), out);
      expect(report).toMatchObject({
        from: input.slice(3),
        to: ending,
        arrays: 2,
        bytes: 32,
        renamed: [],
        reshaped: [],
      });
      expect(await reads[ending as "npz"](out)).toEqual(ARRAYS);
    }
  });

  it("carries metadata over, and says where it cannot", async () => {
    const metadata = { model: "x", note: "é" };
    await io.writeSafetensors(at("meta.safetensors"), ARRAYS, { metadata });
    const kept = await weights.convert(at("meta.safetensors"), at("kept.safetensors"));
    expect(await io.readSafetensorsMetadata(at("kept.safetensors"))).toEqual(metadata);
    expect([kept.metadata, kept.lostMetadata]).toEqual([["model", "note"], []]);
    const lost = await weights.convert(at("meta.safetensors"), at("lost.npz"));
    expect([lost.metadata, lost.lostMetadata]).toEqual([[], ["model", "note"]]);
  });

  it.each([".pth", ".legacy.pth"])("takes a PyTorch checkpoint (%s)", async (suffix) => {
    const report = await weights.convert(golden(`pytorch_fcn${suffix}`), at("pth.safetensors"));
    expect(report).toMatchObject({
      from: "pth",
      key: "model_state_dict",
      arrays: 7,
      metadata: ["epoch", "iteration", "arch"],
    });
    expect(await io.readSafetensors(at("pth.safetensors"))).toEqual(await io.readPth(golden(`pytorch_fcn${suffix}`)));
    await weights.convert(golden(`two${suffix}`), at("two.npz"), { key: "critic" });
    expect(await io.readNpz(at("two.npz"))).toEqual({ w: { ...f32([2]), data: new Float32Array(2) } });
  });

  it("renames and reshapes a Caffe model, and counts its progress", async () => {
    const blob = (shape: number[]) => {
      const [num, channels, height, width] = shape;
      return { num, channels, height, width, data: Array.from(f32(shape).data as Float32Array) };
    };
    const layers = [
      { name: "conv1_1", type: 4, blobs: [blob([2, 3, 3, 3]), blob([1, 1, 1, 2])] },
      { name: "fc6", type: 14, blobs: [blob([1, 1, 4, 98]), blob([1, 1, 1, 4])] },
    ];
    await writeFile(at("vgg.caffemodel"), caffemodel({ name: "VGG", layers }));
    const seen: [number, number][] = [];
    const onProgress = (done: number, total: number) => void seen.push([done, total]);
    const report = await weights.convert(at("vgg.caffemodel"), at("vgg.npz"), { names: "caffe-to-vgg16", onProgress });
    expect(report.renamed).toEqual([
      ["conv1_1.weight", "features.0.weight"],
      ["conv1_1.bias", "features.0.bias"],
      ["fc6.weight", "classifier.0.weight"],
      ["fc6.bias", "classifier.0.bias"],
    ]);
    expect(report.reshaped).toEqual(["features.0.bias", "classifier.0.weight", "classifier.0.bias"]);
    expect(seen).toEqual([
      [0, 1808],
      [216, 1808],
      [224, 1808],
      [1792, 1808],
    ]);
    expect(await io.readNpz(at("vgg.npz"))).toEqual({
      "features.0.weight": f32([2, 3, 3, 3]),
      "features.0.bias": f32([2]),
      "classifier.0.weight": f32([4, 98]),
      "classifier.0.bias": f32([4]),
    });
    await weights.convert(at("vgg.npz"), at("back.safetensors"), { names: "vgg16-to-caffe" });
    const back = await io.readSafetensors(at("back.safetensors"));
    expect(back["fc6.weight"]).toEqual(f32([4, 2, 7, 7]));
    // The published nets with these names want other images than torchvision's.
    const { preprocessing = "" } = await io.readSafetensorsMetadata(at("back.safetensors"));
    expect(JSON.parse(preprocessing)).toEqual(data.IMAGENET_MEAN);
  });

  it("takes TensorFlow.js models, under their own names or as the backbone of our nets", async () => {
    const model = nsfwjsModel("mobilenet_v2");
    const raw = await weights.convert(model, at("tfjs.npz"));
    const named = await weights.convert(model, at("tfjs.safetensors"), { names: "tensorflow-mobilenetv2" });
    expect([raw.from, named.from, named.arrays]).toEqual(["tfjs", "tfjs", 260]);
    const values = await io.readTfjs(model);
    expect(await io.readNpz(at("tfjs.npz"))).toEqual(values);
    expect(await io.readSafetensors(at("tfjs.safetensors"))).toEqual(weights.mobilenetV2FromTensorFlow(values));
    const { options } = await io.readSafetensorsMetadata(at("tfjs.safetensors"));
    expect(JSON.parse(options ?? "")).toEqual({ samePadding: true, bnEps: 1e-3 });
    const wrong = await refusal(weights.convert(golden("two.pth"), at("x.npz"), { names: "tensorflow-mobilenetv2" }));
    expect(wrong).toMatchObject({ code: "invalid-argument", fix: "give the path of a model.json" });
  });

  it("may write over the file it reads", async () => {
    await io.writeSafetensors(at("same.safetensors"), { "conv1.weight": f32([1]) });
    await weights.convert(at("same.safetensors"), at("same.safetensors"), { names: "resnet-to-d2l" });
    expect(await io.readSafetensors(at("same.safetensors"))).toEqual({ "0.weight": f32([1]) });
  });

  it("refuses what it cannot do and leaves no file", async () => {
    const own = await mkdtemp(at("own-"));
    await io.writeNpz(join(own, "a.npz"), { "0.w": f32([1]), "conv1.w": f32([1]) });
    const cases: [string, string, string][] = [
      ["a.npz", "b.pth", "ends in neither .safetensors nor .npz"],
      ["absent.npz", "b.npz", "cannot read"],
    ];
    for (const [input, output, problem] of cases) {
      expect((await refusal(weights.convert(join(own, input), join(own, output)))).message).toContain(problem);
    }
    const names = (map: string) => refusal(weights.convert(join(own, "a.npz"), join(own, "b.npz"), { names: map }));
    expect((await names("vgg16-to-caffe")).message).toContain("covers none of the names 0.w, conv1.w");
    expect((await names("resnet-to-d2l")).message).toContain("both 0.w and conv1.w would be called 0.w");
    const damaged = await readFile(join(own, "a.npz"));
    damaged[130]! ^= 1;
    await writeFile(join(own, "damaged.npz"), damaged);
    expect((await refusal(weights.convert(join(own, "damaged.npz"), join(own, "b.npz")))).code).toBe("corrupt-file");
    expect((await readdir(own)).sort()).toEqual(["a.npz", "damaged.npz"]);
  });
});

describe("fcn convert", () => {
  const fcn = (...args: string[]) => command(["convert", ...args]);

  it("writes the file and says what it did", async () => {
    const out = at("cli.safetensors");
    const { code } = await fcn(golden("torchvision.pth"), out);
    expect(code).toBe(0);
    expect(await io.readSafetensors(out)).toEqual(await io.readPth(golden("torchvision.pth")));
  });

  it.each<[number, string[], RegExp]>([
    [0, ["--help"], /Name maps:.*vgg16-to-caffe/s],
    [0, [golden("torchvision.pth"), "OUT.npz", "--json"], /"key": "model",.*"lostMetadata": \[\s*"epoch"/s],
    [0, [golden("mixed.pth"), "OUT.npz"], /1 arrays, 0\.0 MiB\nno array "steps", "none"/],
    [0, [golden("two.pth"), "OUT.npz", "--key", "critic"], /\(pth, key "critic"\)/],
    [1, [golden("two.pth"), "OUT.npz"], /^error: .*several state dicts.*\nfix: choose one/],
    [1, [golden("module.pth"), "OUT.npz"], /^error: .*asks for __main__.Net, .*nothing was executed\nfix: \S/],
    [
      1,
      [golden("strange.pth"), "OUT.npz"],
      /run it again with --opaque __main__\.Colour __main__\.Shape statistics\.N/,
    ],
    [
      0,
      [golden("strange.pth"), "OUT.npz", "--opaque", "__main__.Colour", "__main__.Shape", "statistics.NormalDist"],
      /1 arr/,
    ],
    [
      0,
      [golden("odd.pth"), "OUT.npz"],
      /2 arrays.*\nnot read "complex": it has the dtype complex64\nnot read "sparse": it is/,
    ],
    [0, [golden("kinds.npz"), "OUT.safetensors"], /2 arrays.*\nnot read "text": its dtype <U2/],
    [0, [golden("averaged.pth"), "OUT.npz"], /7 arrays.*\ndropped +"module\." from the names\nno array "n_averaged"/],
    [
      0,
      [golden("twins.pth"), "OUT.npz", "--prefix", "student"],
      /7 arrays.*\ndropped.*\nleft out 7 arrays without that: "tea/,
    ],
    [
      1,
      [golden("twins.pth"), "OUT.npz", "--prefix", "net"],
      /no name begins with "net\."; names begin with student\., teach/,
    ],
    [1, ["absent.pth", "OUT.npz"], /^error: cannot read absent\.pth/],
    [2, [golden("two.pth")], /^error: missing required argument 'out'\nfix: see fcn convert --help/],
    [2, [golden("two.pth"), "OUT.pth"], /^error: the output .* ends in neither .safetensors nor .npz\nfix: /],
    [
      2,
      [golden("two.pth"), "OUT.npz", "--names", "nobody"],
      /^error: --names is "nobody"\nfix: use one of: vgg16-to-caffe, /,
    ],
  ])("returns %i for %j", async (wanted, args, text) => {
    const result = await fcn(...args.map((arg) => arg.replace("OUT", at("cli"))));
    expect(result.code).toBe(wanted);
    expect(wanted === 0 ? result.stdout : result.stderr).toMatch(text);
  });

  it("finds the names of the net that it is told of, whatever wraps it", async () => {
    const device = await createDevice({ quiet: true });
    try {
      const options = { numClasses: 3, widthMultiplier: 1 / 32, auxLoss: false };
      using net = models.create("fcn_resnet50", device, { ...options, seed: 5 });
      const write = (file: string, rename: (name: string) => string, more = {}) => {
        const entries = Object.entries(net.stateDict()).map(([name, tensor]) => [rename(name), tensor] as const);
        return io.writeSafetensors(at(file), { ...Object.fromEntries(entries), ...more });
      };
      await write("lightning.safetensors", (name) => `module.model.${name}`, { "loss.weight": f32([2]) });
      const to = { device, net: { model: "fcn_resnet50", modelOptions: { widthMultiplier: 1 / 32 } } };
      const report = await weights.convertNet(at("lightning.safetensors"), at("net.safetensors"), to);
      expect(report).toMatchObject({ dropped: ["module.", "model."], unused: ["loss.weight"] });
      const { model, metadata } = await loadModel(at("net.safetensors"), device);
      expect(metadata.options).toMatchObject({ numClasses: 3 });
      model.dispose();
      const twins = Object.fromEntries(
        Object.entries(net.stateDict()).map(([name, tensor]) => [`teacher.${name}`, tensor] as const),
      );
      await write("twins.safetensors", (name) => `student.${name}`, twins);
      const both = (prefix?: string) =>
        weights.convertNet(at("twins.safetensors"), at("net.safetensors"), { ...to, prefix });
      expect(await refusal(both())).toMatchObject({ code: "ambiguous-prefix" });
      expect((await both("teacher")).dropped).toEqual(["teacher."]);
    } finally {
      device.destroy();
    }
  });

  it.each([
    ["deeplabv3_mobilenet_v3_large", {}, { numClasses: 4 }],
    ["deeplabv3_mobilenet_v3_large", { auxLoss: false }, { numClasses: 4, auxLoss: false }],
    ["lraspp_mobilenet_v3_large", {}, { numClasses: 4 }],
  ] as const)("tells the classes and heads of a file of %s with %o from its arrays", async (model, given, wanted) => {
    const device = await createDevice({ quiet: true });
    try {
      const width = { widthMultiplier: 1 / 32 };
      using net = models.create<models.NetOutput>(model, device, { numClasses: 4, ...width, ...given });
      const counter = { dtype: "int32", shape: [], data: Int32Array.of(7) } as const;
      const counters = Object.keys(net.stateDict())
        .filter((name) => name.endsWith("running_var"))
        .map((name) => [name.replace("running_var", "num_batches_tracked"), counter] as const);
      await io.writeSafetensors(at("tv.safetensors"), { ...net.stateDict(), ...Object.fromEntries(counters) });
      const to = { device, net: { model, modelOptions: width } };
      await weights.convertNet(at("tv.safetensors"), at("net.safetensors"), to);
      const loaded = await loadModel(at("net.safetensors"), device);
      expect(loaded.metadata).toMatchObject({ model, options: { ...width, ...wanted } });
      expect(Object.keys(loaded.model.graph.outputs)).toEqual(Object.keys(net.graph.outputs));
      loaded.model.dispose();
    } finally {
      device.destroy();
    }
  });

  it("does not write over the file that it reads", async () => {
    await io.writeSafetensors(at("own.safetensors"), ARRAYS);
    await link(at("own.safetensors"), at("linked.npz"));
    for (const out of ["own.safetensors", "linked.npz"]) {
      const { code, stderr } = await fcn(at("own.safetensors"), at(out));
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: convert: .* read; it would be overwritten/)]);
    }
  });

  const FOLDER = /^error: .*cannot write \S*folder\.safetensors: it is a folder, not a file$/;
  const NOWHERE = /^error: .*cannot write \S*absent\/whole\.safetensors: its folder does not exist$/;

  it("writes a whole net with what other commands need, once it is loaded", async () => {
    const device = await createDevice({ quiet: true });
    try {
      using net = models.create("fcn_resnet50", device, {
        numClasses: 3,
        widthMultiplier: 1 / 32,
        seed: 5,
        auxLoss: false,
      });
      await io.writeSafetensors(at("bare.safetensors"), net.stateDict());
      const out = at("whole.safetensors");
      const width = ["--model-option", "widthMultiplier=0.03125"];
      const whole = [at("bare.safetensors"), out, "--model", "fcn_resnet50", ...width];
      await writeFile(at("names.json"), '["sky", { "name": "sea" }, { "name": "edge", "ignore": true }, "land"]');
      await writeFile(at("names.txt"), "sky\nsea\nland\n");
      for (const [given, classes] of [
        [
          ["--classes", at("names.json"), "--preprocessing", "unit"],
          ["sky", "sea", "land"],
        ],
        [
          ["--classes", at("names.txt")],
          ["sky", "sea", "land"],
        ],
        [
          ["--classes", "a, b,c"],
          ["a", "b", "c"],
        ],
        [[], ["class 0", "class 1", "class 2"]],
      ] as const) {
        expect(await fcn(...whole, ...given)).toMatchObject({ code: 0 });
        const { model, metadata } = await loadModel(out, device);
        const preprocessing = data.PREPROCESSINGS[given.length > 2 ? "unit" : "imagenet"];
        expect(metadata).toMatchObject({
          model: "fcn_resnet50",
          classes,
          preprocessing,
          options: { numClasses: 3, auxLoss: false },
        });
        expect(metadata.palette).toHaveLength(3);
        model.dispose();
      }
      await rm(out);
      await mkdir(at("folder.safetensors"));
      for (const [args, code, text] of [
        [[...whole, "--classes", "a,b"], 1, /^error: convert: .*classifier\.4/],
        [[at("bare.safetensors"), out, "--model", "fcn8s-small", "--num-classes", "3"], 1, /^error: convert: /],
        [[at("bare.safetensors"), at("whole.npz"), "--model", "fcn_resnet50"], 1, /whole\.npz has no place/],
        [[at("bare.safetensors"), out, "--classes", "a,b,c"], 2, /^error: --classes without --model/],
        [[...whole, "--classes", at("clases.json")], 1, /clases\.json: it does not exist/],
        [[at("bare.safetensors"), at("folder.safetensors"), ...whole.slice(2)], 1, FOLDER],
        [[at("bare.safetensors"), at("folder.safetensors")], 1, FOLDER],
        [[at("bare.safetensors"), join(at("absent"), "whole.safetensors"), ...whole.slice(2)], 1, NOWHERE],
        [[...whole, "--classes", "a,a,b"], 2, /^error: --classes is "a,a,b"/],
      ] as const) {
        const result = await fcn(...args);
        const error = result.stderr.split("\n").find((line) => line.startsWith("error: "));
        expect([result.code, error]).toEqual([code, expect.stringMatching(text)]);
      }
      expect((await readdir(folder)).filter((name) => /whole|tmp/.test(name))).toEqual([]);
    } finally {
      device.destroy();
    }
  });
});
