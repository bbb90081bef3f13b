import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { expect, it } from "vitest";
import { expandInputs } from "../../../../packages/fcn/src/prediction/files/inputs.js";
import { runPredict } from "../../../../packages/fcn/src/prediction/files/run.js";
import { rgbPng, temporaryFolder, writeTree } from "../../data/trees.js";

it("writes all results to where a link in their folder leads, again and again", async () => {
  const root = await temporaryFolder("fcn-run");
  const [weights, out, disk] = [join(root, "net.safetensors"), join(root, "out"), join(root, "disk")];
  const device = await createDevice({ quiet: true });
  await fcn.saveModel(weights, fcn.models.create("fcn8s-small", device, { numClasses: 2, widthMultiplier: 0.25 }));
  device.destroy();
  await writeTree(join(root, "images"), { "below/a.png": rgbPng(40, 40, (x, y) => x * y) });
  await Promise.all([mkdir(out), mkdir(disk)]);
  await symlink(disk, join(out, "below"));
  for (let time = 0; time < 2; time++) {
    const inputs = await expandInputs([join(root, "images")], { out });
    const save = ["labels", "probabilities"] as const;
    const { images } = await runPredict({ inputs, weights: [weights], out, save, options: {}, tolerance: 0 }, () => {});
    expect(images).toMatchObject([{ files: { labels: join(out, "below", "a.png") } }]);
    expect((await readdir(disk)).sort()).toEqual(["a.npy", "a.png"]);
  }
});
