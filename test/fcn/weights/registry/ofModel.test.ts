import { describeWeights, listWeights, models } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { entriesOf, entryFor, fitting, mapFor } from "../../../../packages/fcn/src/weights/registry/ofModel.js";

const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

describe("published weights of a model", () => {
  it("are those of the whole net, then those of its backbone", () => {
    expect(names(entriesOf("fcn_resnet50"))[0]).toBe("torchvision/fcn_resnet50");
    expect(names(entriesOf("fcn8s-resnet18"))).toEqual(["torchvision/resnet18"]);
    expect(names(entriesOf("fcn8s-vgg16"))).toEqual([
      ...["berkeley/fcn8s-heavy-pascal", "berkeley/pascalcontext-fcn8s-heavy", "pytorch-fcn/fcn8s"],
      ...["torchvision/vgg16", "torchvision/vgg16-features", "pytorch-fcn/vgg16", "vgg/vgg16"],
    ]);
    expect(entriesOf("fcn8s-small")).toEqual([]);
  });

  it("fit by the width of the net and the channels of its images", () => {
    const model = "fcn16s-mobilenetv2";
    const wide = ["nsfwjs/mobilenetv2-1.4"];
    const usual = names(entriesOf(model)).filter((name) => !wide.includes(name));
    expect(names(fitting({ model }))).toEqual(usual);
    expect(usual).toContain("nsfwjs/mobilenetv2");
    expect(names(fitting({ model, widthMultiplier: 1.4 }))).toEqual(wide);
    expect(fitting({ model, widthMultiplier: 0.5 })).toEqual([]);
    expect(fitting({ model, channels: 4 })).toEqual([]);
    expect(names(fitting({ model: "fcn32s-vgg16", channels: 3 }))).not.toEqual([]);
  });

  it("are refused for another model, with those that it has", () => {
    expect(entryFor("train", "nsfwjs/inceptionv3", "fcn8s-inceptionv3").model).toBe("inceptionv3");
    expect(() => entryFor("train", "nsfwjs/inceptionv3", "fcn8s-resnet18")).toThrow(
      expect.objectContaining({
        message: "train: the weights nsfwjs/inceptionv3 are of inceptionv3, not of fcn8s-resnet18",
        fix: "choose one of: torchvision/resnet18",
      }),
    );
    expect(() => entryFor("train", "nsfwjs/mobilenetv", "fcn16s-mobilenetv2")).toThrow(/there are none called/);
  });

  // Files of other libraries name the layers of these two otherwise than the nets do.
  it("are brought to the names of VGG16 as published, and of the d2l net", () => {
    const summary = (weights: string, model: string) => mapFor(describeWeights(weights), model)?.rename("x.weight");
    expect(mapFor(describeWeights("torchvision/vgg16"), "fcn8s-vgg16")?.rename("features.0.weight")).toBe(
      "conv1_1.weight",
    );
    expect(mapFor(describeWeights("torchvision/resnet18"), "d2l-resnet18")?.rename("layer1.0.bn1.bias")).toBe(
      "4.0.bn1.bias",
    );
    expect(mapFor(describeWeights("vgg/vgg16"), "fcn8s-vgg16-torchvision")?.rename("conv1_1.bias")).toBe(
      "features.0.bias",
    );
    expect(summary("vgg/vgg16", "fcn8s-vgg16")).toBeUndefined();
    const ownNames = listWeights().map(describeWeights);
    for (const model of models.list().filter((name) => !/vgg16|^d2l/.test(name))) {
      for (const entry of ownNames) expect(mapFor(entry, model)).toBeUndefined();
    }
  });
});
