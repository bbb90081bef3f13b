import { probeAdapters } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { fcn } from "../../support/deviceCommandLine.js";

const COMMANDS = {
  train: ["--data", "x", "--out", "y"],
  eval: ["--data", "x", "--weights", "y"],
  predict: ["x", "--weights", "y", "--out", "z"],
  convert: ["x", "y.npz"],
  export: ["--weights", "x", "--onnx", "y"],
  tune: [],
  bench: [],
  demo: [],
};
const SMALL = ["--model", "fcn32s-small", "--width", "0.1", "--size", "32", "--repeats", "1", "--json"];

describe("--adapter", () => {
  it.each(Object.entries(COMMANDS))("is an option of fcn %s, with a default", async (command, args) => {
    const { code, stderr } = await fcn([command, ...args, "--adapter", "gpu"]);
    expect([code, stderr]).toEqual([2, 'error: --adapter is "gpu"\nfix: use one of: auto, hardware, software\n']);
    expect((await fcn([command, "--help"])).stdout.replace(/\s+/g, " ")).toMatch(/--adapter .*\(default: auto\)/);
  });

  it("chooses the adapter, or says that there is none of the kind", async () => {
    const { adapters } = await probeAdapters();
    for (const kind of ["software", "hardware"] as const) {
      const isThere = adapters.some(({ info }) => info.software === (kind === "software"));
      const { code, stdout, stderr } = await fcn(["bench", ...SMALL, "--adapter", kind]);
      if (isThere) expect(JSON.parse(stdout)).toMatchObject({ adapter: { software: kind === "software" } });
      else expect([code, stderr]).toEqual([1, expect.stringContaining(`no ${kind} WebGPU adapter`)]);
    }
  });
});
