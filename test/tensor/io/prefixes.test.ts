import { readFileSync } from "node:fs";
import { createDevice, type Device, io, nn, type Tensor } from "@fcn/tensor";
import { matchNames } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusal } from "../../support/refusals.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const golden = (name: string) => new URL(`../../golden/pth/${name}`, import.meta.url);
const EXPECTED = JSON.parse(readFileSync(golden("expected.json"), "utf8")).wrapped as Record<
  string,
  { values: (number | string)[] }
>;

/** The net of the golden files; `at` puts it into another one under that name. */
class Net extends nn.Module {
  readonly conv = new nn.Conv2d(device, 2, 3, { kernelSize: [2, 1], seed: 5 });
  readonly bn = new nn.BatchNorm2d(device, 3);
  forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x));
  }
}
class Outer extends nn.Module {
  readonly backbone = new Net();
  forward(x: Tensor): Tensor {
    return this.backbone.forward(x);
  }
}

async function expectLoaded(net: nn.Module, before = ""): Promise<void> {
  for (const [name, tensor] of Object.entries(net.stateDict())) {
    const values = EXPECTED[name.slice(before.length)]!.values.map((value) => Math.fround(Number(value)));
    expect([name, Array.from(await tensor.data())]).toEqual([name, values]);
  }
}

/** The arrays of the net as another file has them. */
async function renamedFile(rename: (name: string) => string, more: Record<string, io.HostArray> = {}) {
  const state = await io.readPth(golden("compiled.pth"));
  const entries = Object.entries(state).map(([name, array]) => [rename(name), array] as const);
  return io.encodeSafetensors({ ...Object.fromEntries(entries), ...more });
}
const OTHER = { dtype: "float32", shape: [3], data: new Float32Array(3) } as const;

describe("loadWeights of a net that is wrapped or part of another", () => {
  it.each([
    ["averaged.pth", ["module."]],
    ["compiled.pth", ["_orig_mod."]],
    ["sharded.pth", ["_fsdp_wrapped_module.", "module."]],
    ["lightning.pth", ["model."]],
    ["parallel.pth", ["module."]],
  ])("finds the names of %s, and says what it dropped", async (file, dropped) => {
    using net = new Net();
    const report = await io.loadWeights(net, golden(file));
    expect(report).toMatchObject({ missing: [], skipped: [], dropped });
    await expectLoaded(net);
  });

  it.each<[string, string[], (name: string) => string]>([
    ["DataParallel", ["module."], (name) => `module.${name}`],
    ["a compiled part in the middle", ["_orig_mod."], (name) => name.replace("conv.", "conv._orig_mod.")],
    ["all of them", ["module.", "_orig_mod.", "model."], (name) => `module._orig_mod.model.${name}`],
    ["DDP inside Lightning", ["module.", "model."], (name) => `model.module.${name}`],
    ["checkpointing", ["_checkpoint_wrapped_module."], (name) => name.replace(".", "._checkpoint_wrapped_module.")],
    ["a net in a net", ["net.encoder.backbone."], (name) => `net.encoder.backbone.${name}`],
    ["an average", ["ema_model."], (name) => `ema_model.${name}`],
  ])("finds the names after %s in any format", async (_, dropped, rename) => {
    using net = new Net();
    const file = await renamedFile(rename, { n_averaged: { ...OTHER, shape: [], data: new Float32Array(1) } });
    const report = await io.loadWeights(net, file);
    expect([...(report.dropped ?? [])].sort()).toEqual([...dropped].sort());
    await expectLoaded(net);
  });

  it("tells what stands beside the net, and refuses what is missing or new inside it", async () => {
    using net = new Net();
    const file = await renamedFile((name) => `model.${name}`, { "loss.weight": OTHER });
    expect(await io.loadWeights(net, file)).toMatchObject({ dropped: ["model."], unexpected: ["loss.weight"] });
    const more = await renamedFile((name) => `model.${name}`, { "model.fc.weight": OTHER });
    expect((await refusal(io.loadWeights(net, more))).message).toContain("unexpected: fc.weight");
    const less = await renamedFile((name) => (name === "conv.weight" ? "head.weight" : `model.${name}`));
    expect((await refusal(io.loadWeights(net, less))).message).toContain("missing: conv.weight");
  });

  it("puts a beginning before the names that the file lacks", async () => {
    using net = new Outer();
    const report = await io.loadWeights(net, await renamedFile((name) => `model.${name}`));
    expect(report).toMatchObject({ dropped: ["model."], added: "backbone.", missing: [], unexpected: [] });
    await expectLoaded(net, "backbone.");
  });

  it("asks where several prefixes fit, and takes the one that is named", async () => {
    using net = new Net();
    const error = await refusal(io.loadWeights(net, golden("twins.pth")));
    expect(error).toMatchObject({ code: "ambiguous-prefix", details: { prefixes: ["student.", "teacher."] } });
    expect(error.message).toContain('"student." (6 arrays), "teacher." (6 arrays)');
    expect(error.fix).toContain('{ prefix: "teacher." }');
    for (const prefix of ["student.", "student"]) {
      const { dropped, unexpected } = await io.loadWeights(net, golden("twins.pth"), { prefix });
      expect(dropped).toEqual(["student."]);
      expect(unexpected).toContain("teacher.conv.weight");
      await expectLoaded(net);
    }
    const wrong = await refusal(io.loadWeights(net, golden("twins.pth"), { prefix: "teacher.net" }));
    expect(wrong.message).toContain('no name begins with "teacher.net."; names begin with student., teacher.');
    expect(await io.loadWeights(net, golden("averaged.pth"), { prefix: "module." })).toMatchObject({ missing: [] });
  });

  it("takes names as they are where they fit, or where it is told to", async () => {
    using net = new Net();
    const both = await renamedFile((name) => name, { "ema.conv.weight": OTHER });
    expect((await refusal(io.loadWeights(net, both))).message).toContain("unexpected: ema.conv.weight");
    const report = await io.loadWeights(net, both, { strict: false });
    expect([report.dropped, report.unexpected]).toEqual([undefined, ["ema.conv.weight"]]);
    const wrapped = await renamedFile((name) => `model.${name}`);
    for (const options of [{ prefix: "" }, { unwrap: false }, { rename: (name: string) => name }]) {
      expect((await refusal(io.loadWeights(net, wrapped, options))).message).toContain("missing: conv.weight");
    }
  });

  it("changes nothing of a net whose own names hold such parts", async () => {
    class Wrapper extends nn.Module {
      readonly module = new Net();
      forward(x: Tensor): Tensor {
        return this.module.forward(x);
      }
    }
    using net = new Wrapper();
    const report = await io.loadWeights(net, await renamedFile((name) => `module.${name}`));
    expect([report.dropped, report.missing]).toEqual([undefined, []]);
    await expectLoaded(net, "module.");
  });

  it("does not take a few arrays that happen to fit for the net", async () => {
    using net = new Net();
    const file = await io.encodeSafetensors({ "other.bn.weight": OTHER, "x.y": OTHER });
    const report = await io.loadWeights(net, file, { strict: false });
    expect(report).toMatchObject({ copied: [], unexpected: ["other.bn.weight", "x.y"] });
  });
});

describe("loadStateDict of names after a prefix", () => {
  it("stays as strict as PyTorch, and its remedy names the prefix", async () => {
    using net = new Net();
    const wrapped = await io.readSafetensors(await renamedFile((name) => `module.${name}`));
    expect(() => net.loadStateDict(wrapped)).toThrow(
      expect.objectContaining({
        code: "state-dict-mismatch",
        fix: expect.stringMatching(/without "module\.".*io\.loadWeights/),
      }),
    );
    const twins = await io.readPth(golden("twins.pth"));
    expect(() => net.loadStateDict(twins)).toThrow(
      expect.objectContaining({ code: "state-dict-mismatch", fix: expect.stringContaining("io.loadWeights") }),
    );
  });
});

describe("weights that are computed from others", () => {
  it.each([
    ["conv.weight", ["conv.weight_g", "conv.weight_v"]],
    ["conv.weight", ["conv.parametrizations.weight.original0", "conv.parametrizations.weight.original1"]],
    ["conv.weight", ["conv.parametrizations.weight.original"]],
    ["conv.weight", ["conv.weight_orig", "conv.weight_u"]],
  ])("are named with what to do: %s of %j", async (name, parts) => {
    using net = new Net();
    const file = await renamedFile((own) => (own === name ? parts[0]! : own));
    const error = await refusal(io.loadWeights(net, file));
    expect(error).toMatchObject({ code: "state-dict-mismatch" });
    expect(error.fix).toContain(`${name} is computed from others`);
  });
});

describe("matchNames", () => {
  it("takes time that grows with the names, not with their square", () => {
    const names = Array.from({ length: 4000 }, (_, i) => `layer${i % 40}.block${i}.conv.weight`);
    const own = new Set(names);
    const find = (name: string) => (own.has(name) ? name : undefined);
    const shapes = new Map(names.map((name) => [`a.b.c.d.${name}`, [1]]));
    const { matched, dropped } = matchNames("test", { names, find }, shapes);
    expect([matched, dropped]).toEqual([4000, ["a.b.c.d."]]);
  });
});
