import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { planStrided } from "@fcn/kernels";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create } from "webgpu";

const ROOT = fileURLToPath(new URL("../../packages/kernels/src", import.meta.url));
const files = readdirSync(ROOT, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".wgsl"))
  .map((path) => relative(ROOT, join(ROOT, path)))
  .sort();

/** Kept to the end: Dawn polls its instance from timers that do not hold it. */
const gpu = create([]);

describe("the WGSL files", () => {
  let device: GPUDevice;
  let subgroups = false;
  beforeAll(async () => {
    const adapter = await gpu.requestAdapter();
    if (!adapter) throw new Error("no WebGPU adapter: run `npm run setup`");
    subgroups = adapter.features.has("subgroups");
    device = await adapter.requestDevice({ requiredFeatures: subgroups ? ["subgroups"] : [] });
  });
  afterAll(() => device?.destroy());

  it("are found", () => expect(files.length).toBeGreaterThan(20));

  it.each(files)("%s compiles as it stands, without a message", async (file) => {
    const source = readFileSync(join(ROOT, file), "utf8");
    if (/^enable subgroups;/m.test(source) && !subgroups) return;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code: source });
    const { messages } = await module.getCompilationInfo();
    expect(messages.map(({ lineNum, message }) => `${lineNum}: ${message}`)).toEqual([]);
    await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
    expect((await device.popErrorScope())?.message).toBeUndefined();
  });

  // One dispatch of these is a row of workgroups, of which each walks on.
  const inRows = ["confusion/count.wgsl", "cross-entropy/finish.wgsl"];
  const inOneThread = ["optim/scaler-begin.wgsl", "optim/scaler-update.wgsl"];
  it.each(files.filter((file) => ![...inRows, ...inOneThread].includes(file)))(
    "%s counts along the folded grid, to the end",
    (file) => {
      const text = readFileSync(join(ROOT, file), "utf8");
      const [, id] = /let (\w+) = \(*group\.x \+ group\.y \* groups\.x\)?(?: \* WG|;)/.exec(text) ?? [];
      expect(id).toBeDefined();
      if (id !== "first")
        expect(text).toMatch(new RegExp(`if \\(${id} >= p\\.(count|threads|tiles)\\) \\{ return; \\}`));
    },
  );

  // In SPIR-V, Tint gives a variable of a loop that is declared without a value its zeros once, before the loop, where
  // WGSL asks for them in each turn.
  it.each(files)("%s says with what each sum within a loop begins", (file) => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const open = [...text.matchAll(/^ {4,}var (\w+): [^=;]+;/gm)].map(([, id]) => id);
    const adds = (id?: string) => new RegExp(`\\b${id}\\b(\\[[^\\]]*\\])* (\\+=|= fma\\(.*\\b${id}\\b)`).test(text);
    expect(open.filter(adds)).toEqual([]);
  });

  it.each(files)("%s says what it holds in a header of at most thirty lines", (file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    const header = lines.filter((line) => line !== "enable subgroups;").findIndex((line) => !line.startsWith("//"));
    expect(header).toBeGreaterThan(0);
    expect(header).toBeLessThanOrEqual(30);
  });
});

/** Functions other than main by name: each text, and the kernels that have it. */
function functionsOf(shaders: readonly { name: string; source: string }[]): Map<string, Map<string, string[]>> {
  const found = new Map<string, Map<string, string[]>>();
  for (const { name, source } of shaders) {
    for (const [text, id] of source.matchAll(/^fn (\w+)\([^{]*\{(?:.*\}$|[\s\S]*?^\})/gm)) {
      if (id === "main") continue;
      const texts = found.get(id!) ?? new Map<string, string[]>();
      texts.set(text, [...(texts.get(text) ?? []), name]);
      found.set(id!, texts);
    }
  }
  return found;
}

describe("functions that several kernels have, since WGSL has no include,", () => {
  const caps = { subgroupSize: 0, bindingLimit: 2 ** 20, parallelism: 32 };
  const relu = planStrided({ name: "relu", part: "forward" }, [4], { a: [1] }, caps).steps[0]!.kernel;
  const shaders = files.map((name) => ({ name, source: readFileSync(join(ROOT, name), "utf8") }));
  const shared = [...functionsOf([...shaders, relu])]
    .map(([id, texts]) => ({ id, texts: [...texts.keys()], kernels: [...texts.values()].flat() }))
    .filter(({ kernels }) => kernels.length > 1);

  it("are found, those of generated kernels too", () => {
    expect(shared.length).toBeGreaterThan(5);
    expect(shared.find(({ id }) => id === "isNan")?.kernels).toContain(relu.name);
  });

  it.each(shared)("are the same text in all of them: $id", ({ texts }) => expect(texts).toHaveLength(1));
});
