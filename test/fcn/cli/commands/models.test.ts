import { models } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";

describe("fcn models", () => {
  it("lists every net, with the weights that are published for it", async () => {
    const { code, stdout } = await fcn(["models"]);
    expect(code).toBe(0);
    const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/));
    for (const name of models.list()) expect(rows.filter(([first]) => first === name)).toHaveLength(1);
    expect(rows).toContainEqual(["fcn8s-vgg16", "134.36", "8", "3", "4"]);
    expect(rows).toContainEqual(["unet", "31.04", "1", "-", "-"]);
  });

  it("describes one net with its layers at a size", async () => {
    const { code, stdout } = await fcn(["models", "fcn_resnet50", "--size", "520x520"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^parameters +35\.32 million, with 21 classes$/m);
    expect(stdout).toMatch(/^multiply-adds +152\.72 thousand million at 520x520 \(height x width\)$/m);
    expect(stdout).toMatch(/^heads +out, aux$/m);
    expect(stdout).toMatch(/^weights +torchvision\/fcn_resnet50$/m);
    expect(stdout).toMatch(/^classifier\.4 +conv +21 +65 +65 +\d+$/m);
  });

  it("says of layers after an average over the image that they see all of it", async () => {
    const { stdout } = await fcn(["models", "lraspp_mobilenet_v3_large", "--size", "65x49"]);
    expect(stdout).toMatch(/^sees +the whole image$/m);
    expect(stdout).toMatch(/^backbone\.4\.block\.1\.0 +conv +72 +9 +7 +35$/m);
    expect(stdout).toMatch(/^backbone\.4\.block\.2\.avgpool +globalPool +72 +1 +1 +all$/m);
    expect(stdout).toMatch(/^classifier\.high_classifier +conv +21 +9 +7 +all$/m);
  });

  it("prints as JSON what models.info and models.describe return", async () => {
    const size = { numClasses: 3, height: 64, width: 96 };
    const args = ["--classes", "3", "--size", "64x96", "--json"];
    const { stdout } = await fcn(["models", "fcn8s-small", ...args]);
    const layers = models.describe("fcn8s-small", size);
    expect(JSON.parse(stdout)).toEqual({ ...models.info("fcn8s-small", size), layers });
    const all = JSON.parse((await fcn(["models", ...args])).stdout) as { name: string }[];
    expect(all.map(({ name }) => name)).toEqual(models.list());
  });

  it("refuses a name that there is not, and a size that the net cannot take", async () => {
    expect(await fcn(["models", "fcn8s-vgg17"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(
        /^error: there is no model called "fcn8s-vgg17"\nfix: did you mean fcn8s-vgg16, fcn32s-vgg16 or fcn16s-vgg16\? fcn models lists all \d+\n$/,
      ),
    });
    expect((await fcn(["models", "unet", "--size", "1"])).code).toBe(0);
    expect((await fcn(["models", "unet", "--size", "0"])).code).toBe(2);
  });
});
