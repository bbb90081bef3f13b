import { readFileSync } from "node:fs";
import { weights } from "@fcn/core";
import { describe, expect, it } from "vitest";

type Row = [name: string, shape: number[]];

/** Names and shapes of a published state dict. */
function rowsOf(name: string): Row[] {
  const text = readFileSync(new URL(`../fixtures/${name}.tsv`, import.meta.url), "utf8");
  const lines = text.trim().split("\n").slice(1);
  return lines.map((line) => {
    const [key = "", shape = ""] = line.split("\t");
    return [key, shape === "scalar" ? [] : shape.split("x").map(Number)];
  });
}

const applied = (map: string, rows: readonly Row[]): Row[] => {
  const { rename, shapeOf } = weights.nameMap(map);
  return rows.map(([name, shape]) => [rename(name), [...shapeOf(rename(name), shape)]]);
};

describe("name maps", () => {
  it("cast torchvision's vgg16 to the layers of FCN, and back", () => {
    const vgg = rowsOf("torchvision-vgg16");
    const cast = applied("vgg16-to-caffe", vgg);
    const fcn = new Map(rowsOf("fcn8s-vgg16"));
    const shared = cast.filter(([name]) => fcn.has(name));
    expect(shared).toHaveLength(30);
    for (const [name, shape] of shared) expect([name, shape]).toEqual([name, fcn.get(name)]);
    expect(cast.filter(([name]) => !fcn.has(name))).toEqual([
      ["fc8.weight", [1000, 4096, 1, 1]],
      ["fc8.bias", [1000]],
    ]);
    expect(applied("caffe-to-vgg16", cast)).toEqual(vgg);
  });

  it("give the blobs of an old Caffe model the shapes of today", () => {
    const old: Row[] = [
      ["conv1_1.weight", [64, 3, 3, 3]],
      ["conv1_1.bias", [1, 1, 1, 64]],
      ["fc6.weight", [1, 1, 4096, 25088]],
      ["fc6.bias", [1, 1, 1, 4096]],
      ["fc7.weight", [1, 1, 4096, 4096]],
      ["upscore.weight", [21, 21, 64, 64]],
    ];
    const today: Row[] = [
      ["conv1_1.weight", [64, 3, 3, 3]],
      ["conv1_1.bias", [64]],
      ["fc6.weight", [4096, 512, 7, 7]],
      ["fc6.bias", [4096]],
      ["fc7.weight", [4096, 4096, 1, 1]],
      ["upscore.weight", [21, 21, 64, 64]],
    ];
    expect(applied("berkeley", old)).toEqual(today);
    expect(applied("berkeley", [["fc6.weight", [4096, 9216]]])).toEqual([["fc6.weight", [4096, 256, 6, 6]]]);
    for (const net of ["fcn32s-vgg16", "fcn16s-vgg16", "fcn8s-vgg16"]) {
      const rows = rowsOf(net);
      for (const map of ["berkeley", "pytorch-fcn"]) expect(applied(map, rows)).toEqual(rows);
    }
    expect(applied("caffe-to-vgg16", old.slice(0, 5)).slice(1)).toEqual([
      ["features.0.bias", [64]],
      ["classifier.0.weight", [4096, 25088]],
      ["classifier.0.bias", [4096]],
      ["classifier.3.weight", [4096, 4096]],
    ]);
  });

  it("number torchvision's resnet18 as d2l does, and back", () => {
    const resnet = rowsOf("torchvision-resnet18");
    const backbone = resnet.filter(([name]) => !name.startsWith("fc."));
    const d2l = rowsOf("d2l-resnet18").filter(([name]) => /^\d/.test(name));
    expect(applied("resnet-to-d2l", backbone)).toEqual(d2l);
    expect(applied("d2l-to-resnet", d2l)).toEqual(backbone);
    const back = applied("backbone-to-torchvision", applied("torchvision-to-backbone", resnet));
    expect(back).toEqual(resnet);
    expect(applied("torchvision-to-backbone", resnet)[0]).toEqual(["backbone.conv1.weight", [64, 3, 7, 7]]);
  });

  it("are found by their own names only", () => {
    for (const name of ["nobody", "__proto__", "constructor"]) {
      expect(() => weights.nameMap(name)).toThrow(`convert: there is no name map ${JSON.stringify(name)}`);
    }
  });
});
