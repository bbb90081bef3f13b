import { join } from "node:path";
import { data } from "@fcn/core";
import { describe, expect, it } from "vitest";
import { readState } from "../../../../packages/fcn/src/training/run/state/readState.js";
import { refusal } from "../../../support/refusals.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("hostile");
const DEEP = "[".repeat(20_000) + "]".repeat(20_000);

async function folder(name: string, files: Record<string, Uint8Array | string>): Promise<string> {
  const root = join(base, name);
  await writeTree(root, { "images/a.jpg": await jpeg(4, 4, 1), "masks/a.png": greyPng(4, 4, (x) => x % 2), ...files });
  return root;
}

describe("what a file says in a message", () => {
  it("has no control characters: the type of a PNG's part", async () => {
    const mask = greyPng(2, 2, () => 0);
    mask.set([0, 27, 7, 0], 12);
    const error = await refusal(data.decodePng("a.png", mask));
    expect(error.message).toContain("\\u001b");
  });

  it("has no control characters: names in a list of classes", async () => {
    const root = await folder("names", { "classes.json": '[{"name":"sky","\\u001b[2J":1}]' });
    expect((await refusal(data.open(root))).code).toBe("invalid-classes");
  });

  it.each([
    ["an entry", `[${DEEP}]`],
    ["a value", `[{"name":"sky","value":${DEEP}}]`],
    ["a colour", `[{"name":"sky","color":${DEEP}}]`],
    ["a switch", `[{"name":"sky","ignore":${DEEP}}]`],
    ["a long entry", `[[${"1,".repeat(20_000)}1]]`],
  ])("is short, and deep values are not followed: %s", async (_, text) => {
    const root = await folder("deep", { "classes.json": text });
    expect((await refusal(data.open(root))).code).toBe("invalid-classes");
  });

  it("is short: a name of 3000 letters in a list", async () => {
    const root = join(base, "long-name");
    const lists = { "ImageSets/Segmentation/train.txt": "x".repeat(3000), "ImageSets/Segmentation/val.txt": "b" };
    await writeTree(root, { ...lists, "JPEGImages/b.jpg": await jpeg(4, 4, 1), "SegmentationClass/b.png": "" });
    const { remarks } = await data.check(root, { workers: 0 });
    expect(Math.max(...remarks.map(({ text }) => text.length))).toBeLessThan(2000);
  });
});

describe("the state in a checkpoint", () => {
  const sound = {
    configuration: "{}",
    adapters: '["a"]',
    loader: '{"epoch":0,"batch":3}',
    dropout: '{"drop":2}',
    history: '{"readings":[{"step":1,"loss":null,"learningRate":0.1}],"validations":[]}',
  };

  it("is read", () => {
    const { loader, dropout, history, open } = readState("c.safetensors", sound);
    expect([loader, dropout, open]).toEqual([{ epoch: 0, batch: 3 }, { drop: 2 }, undefined]);
    expect(history).toEqual({ readings: [{ step: 1, loss: Number.NaN, learningRate: 0.1 }], validations: [] });
  });

  it.each([
    ["loader", undefined],
    ["loader", '{"epoch":0'],
    ["loader", '{"epoch":-1,"batch":0}'],
    ["adapters", '"a"'],
    ["configuration", "[]"],
    ["dropout", '{"drop":"2"}'],
    ["history", "null"],
    ["history", '{"readings":[{}],"validations":[]}'],
    ["history", '{"readings":[],"validations":[{"step":1}]}'],
    ["open", '{"sum":"1","count":1}'],
  ])("is refused where %s is %s", async (name, text) => {
    const strings = Object.fromEntries(
      Object.entries({ ...sound, [name]: text }).filter(([, value]) => value !== undefined),
    );
    const error = await refusal((async () => readState("c.safetensors", strings as Record<string, string>))());
    expect(error.code).toBe("corrupt-file");
    expect(error.message).toMatch(new RegExp(`^c\\.safetensors: .*"${name}"`));
  });
});
