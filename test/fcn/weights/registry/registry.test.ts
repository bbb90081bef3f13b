import { describeWeights, listWeights, models } from "@fcn/core";
import { describe, expect, it } from "vitest";

const entries = listWeights().map(describeWeights);
const DIGITS = { md5: 32, sha1: 40, sha256: 64 };

describe("the registry of published weights", () => {
  it("has each name and each file of a publisher once", () => {
    expect(new Set(listWeights()).size).toBe(entries.length);
    expect(new Set(entries.map(({ url, npm }) => url ?? npm.path)).size).toBe(entries.length);
    expect(new Set(entries.map(({ file }) => file)).size).toBe(entries.length);
  });

  it.each(entries.map((entry) => [entry.name, entry] as const))("%s is complete and consistent", (_, entry) => {
    if (entry.url !== undefined) expect(URL.canParse(entry.url)).toBe(true);
    expect(entry.license.length).toBeGreaterThan(5);
    expect(entry.file.endsWith(`.${entry.format}`)).toBe(true);
    expect(entry.preprocessing.mean).toHaveLength(entry.preprocessing.std.length);
    if (entry.checksum) {
      const { algorithm, digits } = entry.checksum;
      expect(digits).toMatch(/^[0-9a-f]+$/);
      const short = entry.name.startsWith("torchvision/");
      expect(digits).toHaveLength(short ? 8 : DIGITS[algorithm]);
      // torchvision's digits are those in the name of the file.
      if (short) expect(entry.url).toContain(`-${digits}.pth`);
    }
  });

  it("names nets and backbones that exist", () => {
    const known = models.list();
    const stand = entries.filter(({ part, model }) =>
      part === "net" ? known.includes(model) : known.some((name) => name === model || name.endsWith(`-${model}`)),
    );
    const others = entries.filter((entry) => !stand.includes(entry)).map(({ model }) => model);
    // The variants of VGG16 for other inputs and tasks.
    expect(others.every((model) => /^fcn\d+s-vgg16-(siftflow|hha)$/.test(model))).toBe(true);
  });

  it("gives torchvision's sizes, which hold the parameters and little else", () => {
    const bytesOf = (name: string): number => {
      const { size } = describeWeights(name);
      return size && "mebibytes" in size ? size.mebibytes * 2 ** 20 : Number.NaN;
    };
    for (const [name, parameters] of [
      ["torchvision/fcn_resnet50", 35_322_218],
      ["torchvision/fcn_resnet101", 54_314_346],
      ["torchvision/deeplabv3_resnet50", 42_004_074],
      ["torchvision/deeplabv3_resnet101", 60_996_202],
      ["torchvision/deeplabv3_mobilenet_v3_large", 11_029_328],
      ["torchvision/lraspp_mobilenet_v3_large", 3_221_538],
      ["torchvision/mobilenet_v3_large", 5_483_032],
      ["torchvision/resnet18", 11_689_512],
      ["torchvision/resnet34", 21_797_672],
      ["torchvision/resnet50", 25_557_032],
      ["torchvision/resnet101", 44_549_160],
      ["torchvision/vgg16", 138_357_544],
      ["torchvision/alexnet", 61_100_840],
      ["torchvision/mobilenet_v2", 3_504_872],
    ] as const) {
      expect(bytesOf(name) / (4 * parameters), name).toBeGreaterThan(1);
      expect(bytesOf(name) / (4 * parameters), name).toBeLessThan(1.02);
    }
  });
});
