import { models } from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { expect, it } from "vitest";
import { tileRemarks } from "../../../packages/fcn/src/prediction/tileRemarks.js";

it("warns of tiles where the net looks at the whole image, and nowhere else", async () => {
  using device = await createDevice({ quiet: true });
  const tiny = { numClasses: 2, widthMultiplier: 1 / 64 };
  const codes = (name: string, isCut: boolean): string[] => {
    using net = models.create<models.NetOutput>(name, device, tiny);
    return tileRemarks("net.safetensors", net, isCut).map(({ code }) => code);
  };
  for (const name of ["deeplabv3_resnet50", "fcn16s-mobilenetv3large", "semantic-fpn-resnet18"]) {
    expect([codes(name, true), codes(name, false)], name).toEqual([["tiles-of-whole"], []]);
  }
  expect(codes("fcn_resnet50", true)).toEqual([]);
});
