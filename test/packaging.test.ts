import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { PackedApp } from "./support/packed.js";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  name: string;
  exports: Record<string, { types: string; default: string }>;
  bin?: Record<string, string>;
}

const manifests = readdirSync(join(root, "packages")).map((folder) => {
  const path = join(root, "packages", folder);
  return { path, manifest: JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest };
});
const entries = manifests.flatMap(({ manifest }) =>
  Object.keys(manifest.exports).map((subPath) => manifest.name + subPath.slice(1)),
);

const app = new PackedApp();
afterAll(() => app.remove());
const all = entries.map((name, i) => `export * as entry${i} from ${JSON.stringify(name)};`).join("\n");
const SIZE_REMARK = /Some chunks are larger than/;

describe("an app for browsers, with the packages as they are shipped", () => {
  it("is built by Vite", async () => {
    const code = all.replaceAll("export *", "import *");
    const use = `globalThis.all = [${entries.map((_, i) => `entry${i}`)}];`;
    const warnings = await app.vite(`${code}\n${use}`);
    // Vite names every module of Node that it replaces by an empty one.
    expect(warnings.filter((text) => !SIZE_REMARK.test(text))).toEqual([]);
  });

  it("is built by esbuild, and loads where there is no process", async () => {
    const { file, warnings } = await app.esbuild(all);
    expect(warnings).toEqual([]);
    const loaded = (await import(pathToFileURL(file).href)) as Record<string, object>;
    expect(Object.keys(loaded)).toHaveLength(entries.length);
    // That one has effects, and no names.
    const empty = entries.filter((_, i) => Object.keys(loaded[`entry${i}`] as object).length === 0);
    expect(empty).toEqual(["@fcn/tensor/chained"]);
  });

  it("carries the shaders that it uses, and no others", async () => {
    const { file } = await app.esbuild('export { planSgd } from "@fcn/kernels";');
    expect(readFileSync(file, "utf8").match(/@compute/g)).toHaveLength(1);
  });

  it("carries the rows of pointwise ops that it uses, and what Safari lacks", async () => {
    const text = async (code: string) => readFileSync((await app.esbuild(code)).file, "utf8");
    const few = await text('export { createDevice, relu } from "@fcn/tensor";');
    expect(few).toContain("max(a, T(0.0))");
    expect(few).not.toMatch(/errorFunction|softmax\/forward/);
    expect(few).toContain("asyncDispose");
    const all = await text('import "@fcn/tensor/chained"; export { createDevice } from "@fcn/tensor";');
    for (const name of ["errorFunction", "softmax/forward"]) expect(all).toContain(name);
  });

  it("would show in both that a module of Node is imported", async () => {
    const code = 'import { readFileSync } from "node:fs";\nglobalThis.f = () => readFileSync("x");';
    await expect(app.esbuild(code)).rejects.toThrow('Could not resolve "node:fs"');
    expect(await app.vite(code)).toEqual([expect.stringContaining('Module "node:fs" has been externalized')]);
  });

  it("says in the errors of this project that there are no files", async () => {
    const { file } = await app.esbuild('export * as fcn from "@fcn/core"; export { io } from "@fcn/tensor";');
    const { fcn, io } = (await import(pathToFileURL(file).href)) as {
      fcn: typeof import("@fcn/core");
      io: typeof import("@fcn/tensor")["io"];
    };
    const refused = (message: string) => expect.objectContaining({ code: "unsupported", message });
    await expect(io.readNpy("x.npy")).rejects.toEqual(
      refused("readNpy: a path was given, but this environment has no file system"),
    );
    await expect(io.writeNpy("x.npy", { dtype: "float32", shape: [1], data: new Float32Array(1) })).rejects.toEqual(
      refused("writeNpy: needs Node's module fs/promises, and this is not Node"),
    );
    await expect(fcn.fetchWeights(fcn.listWeights()[0] as string)).rejects.toEqual(
      refused(expect.stringContaining("this environment has no file system to keep it in") as unknown as string),
    );
    await expect(fcn.data.open("photographs")).rejects.toEqual(
      refused("photographs: needs Node's module fs/promises, and this is not Node"),
    );
    await expect(fcn.trainRun({ data: "photographs", model: "unet", out: "run" })).rejects.toEqual(
      refused("trainRun: needs Node's module fs/promises, and this is not Node"),
    );
    await expect(fcn.queue.jobs("redis://localhost")).rejects.toEqual(
      refused("jobs: needs Node's module fs, and this is not Node"),
    );
    const info = { vendor: "", architecture: "", device: "x", description: "" };
    await expect(fcn.savedTuning(info as Parameters<typeof fcn.savedTuning>[0])).resolves.toBeUndefined();
  });
});

it("ships the fonts of the images with its licence", () => {
  const assets = ["OpenSans-Regular.ttf", "OpenSans-Bold.ttf", "OpenSans-LICENSE.txt", "fonts.conf"].map(
    (file) => `assets/${file}`,
  );
  expect(app.files("@fcn/core")).toEqual(expect.arrayContaining(assets));
});

describe.each(manifests)("$manifest.name", ({ path, manifest }) => {
  it("has every file that its package.json names", () => {
    const targets = Object.values(manifest.exports).flatMap((target) => [target.types, target.default]);
    const missing = [...targets, ...Object.values(manifest.bin ?? {})].filter((file) => !existsSync(join(path, file)));
    expect(missing).toEqual([]);
  });

  it("ships its licence, and no trace of the compiler's work", () => {
    const files = app.files(manifest.name);
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/index.js", "dist/index.d.ts"]));
    expect(files.filter((file) => file.endsWith(".tsbuildinfo"))).toEqual([]);
    expect(readFileSync(join(path, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
  });

  it("runs what its README shows", () => {
    const code = /```js\n([\s\S]*?)```/.exec(readFileSync(join(path, "README.md"), "utf8"))?.[1];
    expect(app.node(code as string).trim()).not.toBe("");
  });
});
