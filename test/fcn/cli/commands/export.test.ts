import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelMetadata, models, saveModel } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn as command } from "../../../support/commandLine.js";
import { decodeOnnx, openOnnx } from "../../../support/onnx.js";
import { forwardOf, imageFor } from "../../../support/onnx-agreement.js";
import { fillWeights } from "../../../support/random-weights.js";

async function fcn(...args: string[]) {
  const { code, stdout, stderr } = await command(["export", ...args], { cwd: folder });
  return { code, stdout, lines: stderr.split("\n").filter((line) => /^(error|fix): /.test(line)) };
}

const metadata: ModelMetadata = {
  model: "fcn16s-small",
  options: { numClasses: 3, widthMultiplier: 1 / 4 },
  classes: ["water", "land", "ice"],
  palette: [
    [0, 0, 255],
    [0, 128, 0],
    [255, 255, 255],
  ],
  preprocessing: { channelOrder: "rgb", mean: [1, 2, 3], std: [4, 5, 6] },
};

let device: Device;
let folder: string;
let net: models.GraphNet<models.NetOutput>;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  folder = await mkdtemp(join(tmpdir(), "fcn-export-"));
  net = models.create<models.NetOutput>(metadata.model, device, metadata.options);
  fillWeights(net, "cli");
  net.eval();
  await saveModel(join(folder, "weights.safetensors"), net, metadata);
});
afterAll(async () => {
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe("fcn export", () => {
  it("does not write over the weights that it reads, whatever they are called", async () => {
    const weights = join(folder, "weights.safetensors");
    const before = await readFile(weights);
    await symlink(weights, join(folder, "link.onnx"));
    for (const onnx of [weights, "./weights.safetensors", join(folder, "link.onnx")]) {
      const { code, lines } = await fcn("--weights", weights, "--onnx", onnx);
      expect(code).toBe(1);
      expect(lines[0]).toMatch(/^error: export: .* which is read|the file that is read/);
    }
    expect((await readFile(weights)).equals(before)).toBe(true);
  });

  it("writes the net of a weights file as ONNX", async () => {
    const [weights, onnx] = [join(folder, "weights.safetensors"), join(folder, "net.onnx")];
    const { code, stdout } = await fcn("--weights", weights, "--onnx", onnx);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^input {3}data float32 \[batch, 3, height, width\]\noutput {2}out float32 \[batch, 3, h/);
    expect(stdout).toMatch(/wrote .*net\.onnx: fcn16s-small, \d\.\d MB, opset 13\n$/);
    const bytes = await readFile(onnx);
    const stored = Object.fromEntries(
      decodeOnnx(bytes).metadataProps.map(({ key, value }) => [key, JSON.parse(value)]),
    );
    expect(stored).toEqual(metadata);
    const image = imageFor(net, { batch: 1, height: 50, width: 41 });
    const session = await openOnnx(bytes);
    const { out: got } = await session.run(image);
    const { out: want } = await forwardOf(net, device, image);
    expect(got?.shape).toEqual(want?.shape);
    const difference = Array.from(got?.data ?? [], (value, i) => Math.abs(value - (want?.data[i] as number)));
    expect(Math.max(...difference)).toBeLessThan(1e-4);
    await session.release();
  });

  it("prints what it did as JSON, with argmax and a fixed size", async () => {
    const onnx = join(folder, "fixed.onnx");
    const flags = ["--argmax", "--size", "48x33", "--opset", "17", "--json"];
    const { code, stdout } = await fcn("--weights", join(folder, "weights.safetensors"), "--onnx", onnx, ...flags);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      file: onnx,
      model: "fcn16s-small",
      bytes: (await readFile(onnx)).length,
      opset: 17,
      input: { name: "data", dtype: "float32", shape: [1, 3, 48, 33] },
      outputs: [{ name: "out", dtype: "int32", shape: [1, 48, 33] }],
    });
  });

  it.each([
    [["--onnx", "x.onnx"], /^error: --weights <file> is missing$/],
    [["--weights", "x"], /--onnx <file> is missing/],
    [[], /^error: --weights <file> and --onnx <file> are missing$/],
    [["--weights", "x", "--onnx", "y", "--argmax", "--softmax"], /--argmax and --softmax cannot be used together/],
    [["--weights", "x", "--onnx", "y", "--size", "0x48"], /--size is "0x48"/],
    [["--weights", "x", "--onnx", "y", "--opset", "3"], /--opset is "3"/],
  ])("returns wrong usage %j with 2", async (args, message) => {
    const { code, lines } = await fcn(...args);
    expect(code).toBe(2);
    expect(lines).toEqual([expect.stringMatching(message), expect.stringMatching(/^fix: \S/)]);
  });

  it.each([
    [["--weights", "missing.safetensors"], /cannot read .*missing\.safetensors/],
    [["--weights", "foreign.safetensors"], /foreign\.safetensors: its header/],
    [["--weights", "weights.safetensors", "--onnx", join("none", "x.onnx")], /cannot write .*x\.onnx/],
  ])("returns %j with 1, one error, and no file", async (args, message) => {
    await writeFile(join(folder, "foreign.safetensors"), "not a weights file");
    const { code, lines } = await fcn("--onnx", "refused.onnx", ...args);
    expect(code).toBe(1);
    expect(lines).toEqual([expect.stringMatching(message), expect.stringMatching(/^fix: \S/)]);
    expect(await readdir(folder)).not.toContain("refused.onnx");
  });
});
