import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describeWeights, fetchWeights, type PackagedModel, weights } from "@fcn/core";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { nsfwjsModel } from "../../../support/tfjs-files.js";
import { temporaryFolder } from "../../data/trees.js";

describe("weights of an npm package", () => {
  it("lie in the cache with the names of our nets, and say what a net needs for them", async () => {
    const cacheDir = join(await temporaryFolder("fcn-packaged"), "new", "cache");
    const first = await fetchWeights("nsfwjs/mobilenetv2-1.4", { cacheDir, offline: true });
    expect(first).toMatchObject({ path: join(cacheDir, "nsfwjs-mobilenetv2-1.4.safetensors"), cached: false });
    const expected = weights.mobilenetV2FromTensorFlow(await io.readTfjs(nsfwjsModel("mobilenet_v2_mid")));
    const arrays = await io.readSafetensors(first.path);
    expect(Object.keys(arrays).sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { shape, data }] of Object.entries(arrays)) {
      expect([shape, Buffer.compare(bytes(data), bytes(expected[name]?.data ?? data))], name).toEqual([
        expected[name]?.shape,
        0,
      ]);
    }
    const { options, preprocessing } = await io.readSafetensorsMetadata(first.path);
    expect(JSON.parse(options ?? "")).toEqual({ samePadding: true, bnEps: 1e-3, widthMultiplier: 1.4 });
    expect(JSON.parse(preprocessing ?? "")).toEqual(first.entry.preprocessing);
    const before = await readFile(first.path);
    expect(await fetchWeights("nsfwjs/mobilenetv2-1.4", { cacheDir })).toEqual({ ...first, cached: true });
    expect(before.equals(await readFile(first.path))).toBe(true);
  });

  it("name the package to install where it is not", async () => {
    const cacheDir = await temporaryFolder("fcn-packaged");
    const { npm, ...rest } = describeWeights("nsfwjs/mobilenetv2") as PackagedModel;
    const entry = { ...rest, npm: { ...npm, package: "fcn-test-absent" } };
    await expect(fetchWeights(entry, { cacheDir })).rejects.toMatchObject({
      code: "missing-data",
      message: expect.stringMatching(/nsfwjs\/mobilenetv2: the npm package fcn-test-absent, .* is not installed$/),
      fix: "npm install fcn-test-absent",
    });
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => Buffer.from(buffer, byteOffset, byteLength);
