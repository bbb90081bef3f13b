import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll, describe, expect, it } from "vitest";
import { shaderFolders } from "../support/opCases.js";
import { onPage } from "../support/page.js";
import { serve } from "../support/serve.js";

const root = join(import.meta.dirname, "../..");
const site = join(root, "out/docs");
const page = (path: string): string => readFileSync(join(site, `${path}.html`), "utf8").replace(/<[^>]+>/g, "");

/** Where the site lies on its server: what works below a path works without one. */
const BASE = "/on/a/path/";

// A link to a page that is missing fails the build, and so does a warning of TypeDoc.
beforeAll(() => {
  const options = { cwd: root, encoding: "utf8", env: { ...process.env, DOCS_BASE: BASE } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["scripts/docs.mjs"], options);
  if (status !== 0) throw new Error(`scripts/docs.mjs ended with ${status}:\n${stdout}\n${stderr}`);
}, 900_000);

describe("the site of the documentation", () => {
  it("has a page for each export", () => {
    for (const name of ["tensor/functions/conv2d", "tensor/functions/relu", "core/functions/predict"])
      expect(existsSync(join(site, `docs/reference/api/@fcn/${name}.html`)), name).toBe(true);
  });

  it("shows every command with its options", () => {
    const text = page("docs/reference/command-line");
    for (const command of ["fcn doctor", "fcn data check", "fcn weights fetch", "fcn train"])
      expect(text).toContain(command);
    expect(text).toContain("--freeze-batch-norm");
  });

  it("explains every error code", () => {
    const source = readFileSync(join(root, "packages/kernels/src/errorCodes.ts"), "utf8");
    const codes = [...source.matchAll(/^ {2}\| "([\w-]+)"/gm)].map(([, code]) => code);
    expect(codes.length).toBeGreaterThan(50);
    const text = page("docs/reference/error-codes");
    for (const code of codes) expect(text).toContain(code);
  });

  it("shows every kernel, with its header and its code", () => {
    const overview = page("docs/kernels");
    for (const folder of shaderFolders) {
      expect(overview).toContain(folder);
      const text = page(`docs/reference/kernels/${folder}`);
      const files = readdirSync(join(root, "packages/kernels/src", folder)).filter((file) => file.endsWith(".wgsl"));
      for (const file of files) expect(text).toContain(file);
      if (files.length > 0) expect(text).toContain("@workgroup_size");
    }
  });
});

/** Serves the site while `use` runs. */
async function serving<Result>(use: (url: string) => Promise<Result>): Promise<Result> {
  const { url, stop } = await serve(site, BASE);
  return use(url).finally(stop);
}

/** Opens a page of the site and runs `use` on it; what the page throws fails the test. */
const onSite = <Result>(path: string, use: (page: Page) => Promise<Result>) =>
  serving((url) =>
    onPage(async (own) => {
      const problems: string[] = [];
      own.on("pageerror", (error) => problems.push(String(error)));
      await own.goto(`${url}${path}.html`);
      const result = await use(own);
      expect(problems).toEqual([]);
      return result;
    }),
  );

/** What each sample of a page prints, one after another. */
async function printed(own: Page): Promise<string> {
  const samples = own.locator(".run-sample");
  await samples.first().waitFor();
  let text = "";
  for (let i = 0; i < (await samples.count()); i++) {
    const sample = samples.nth(i);
    await sample.locator(".run").click();
    await sample.and(own.locator('[data-state="done"]')).waitFor({ timeout: 300_000 });
    expect(await sample.locator(".failure").allTextContents()).toEqual([]);
    for (const line of await sample.locator(".printed").allTextContents()) text += `${line}\n`;
  }
  return text;
}

/** Pages of the guide with samples that run, and what they say that these print. */
const guide = join(root, "docs/guide");
const told = readdirSync(guide).flatMap((name) => {
  const text = readFileSync(join(guide, name), "utf8");
  const blocks = [...text.matchAll(/^```text\n(.*?)^```$/gms)].map(([, block]) => block).join("");
  return /^```ts$/m.test(text) && blocks ? [[name.replace(/\.md$/, ""), blocks] as const] : [];
});

describe("samples on the site", () => {
  it.each(told)(
    "those of %s print what the page says",
    async (name, text) => {
      expect(await onSite(`docs/guide/${name}`, printed)).toBe(text);
    },
    600_000,
  );

  it("load nothing of the library before they are run", async () => {
    const asked = await serving((url) =>
      onPage(async (own) => {
        let bytes = 0;
        own.on("response", async (response) => {
          if (response.url().endsWith(".js")) bytes += (await response.body()).length;
        });
        await own.goto(`${url}docs/guide/tensors.html`, { waitUntil: "networkidle" });
        return bytes;
      }),
    );
    expect(asked).toBeGreaterThan(10_000);
    expect(asked).toBeLessThan(900_000);
  });

  it("can be changed; tensors are shown as images, errors with what to do", async () => {
    await onSite("docs/guide/tensors", async (own) => {
      const sample = own.locator(".run-sample").first();
      const write = async (text: string): Promise<void> => {
        await own.locator(".run-sample .cm-content").first().fill(text);
        await sample.locator(".run").click();
        await sample.and(own.locator('[data-state="done"]')).waitFor({ timeout: 120_000 });
      };
      await sample.locator("text=Edit").click();
      await own.locator(".cm-content").waitFor();
      await write(`import { createDevice } from "@fcn/tensor";
const device: object = await createDevice();
console.log(device.tensor(Float32Array.from({ length: 48 }, (_, i) => i), [3, 4, 4]));
device.zeros([5, 6]);`);
      const pictures = sample.locator("canvas");
      expect(await pictures.count()).toBe(2);
      expect(await pictures.first().evaluate((canvas) => (canvas as HTMLCanvasElement).width)).toBe(4);
      expect(await sample.locator(".printed").first().textContent()).toContain("tensor([[[");
      await write(`import { createDevice, matmul } from "@fcn/tensor";
const device = await createDevice();
matmul(device.zeros([2, 3]), device.zeros([2, 3]));`);
      const failure = await sample.locator(".failure").textContent();
      for (const part of ["invalid-shape", "matmul", "What to do"]) expect(failure).toContain(part);
    });
  });

  it("say why they cannot run where there is no WebGPU", async () => {
    await onSite("docs/guide/tensors", async (own) => {
      // The worker has no adapters, as in a browser without a usable GPU.
      await own.route("**/worker-*.js", async (route) => {
        const response = await route.fetch();
        const without = 'Object.defineProperty(navigator, "gpu", { value: undefined });';
        await route.fulfill({ response, body: `${without}${await response.text()}` });
      });
      const sample = own.locator(".run-sample").first();
      await sample.locator(".run").click();
      await sample.locator(".failure").waitFor({ timeout: 60_000 });
      expect(await sample.locator(".failure").textContent()).toContain("no-webgpu");
    });
  });
});

/** Chooses an op of a page of kernels, and waits for its plan. */
async function choose(own: Page, settings: Readonly<Record<string, string>>): Promise<void> {
  await own.locator('.kernel-plan[data-ready="true"]').waitFor();
  for (const [name, value] of Object.entries(settings))
    await own.locator(`.kernel-plan input[name="${name}"]`).fill(value);
}

/** The time and the error that a page shows of the chosen plan. */
async function tried(own: Page): Promise<{ time: string; error: number }> {
  await own.locator(".kernel-plan .run").click();
  await own.locator(".kernel-plan :is(.result, .problem)").waitFor({ timeout: 120_000 });
  const time = (await own.locator(".result .time b").textContent()) ?? "";
  return { time, error: Number(await own.locator(".result .error b").textContent()) };
}

describe("kernels on the site", () => {
  const sizes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    conv2d: { Cin: "16", Cout: "16", H: "16", W: "16" },
    matmul: { M: "64", K: "64", N: "64" },
    "cross-entropy": { pixels: "400" },
  };
  it.each(Object.entries(sizes))("%s is timed and held to its reference", async (folder, settings) => {
    const { time, error } = await onSite(`docs/reference/kernels/${folder}`, async (own) => {
      await choose(own, settings);
      return tried(own);
    });
    expect(time).toMatch(/^[\d.]+ (µs|ms|s)$/);
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(1e-4);
  });

  it("the plan of conv2d follows the sizes, and refuses those that do not fit", async () => {
    await onSite("docs/reference/kernels/conv2d", async (own) => {
      const form = own.locator(".kernel-plan");
      await choose(own, {});
      const first = await form.textContent();
      expect(first).toContain("conv2d/gather-workgroup");
      await choose(own, { H: "112" });
      await expect.poll(() => form.textContent()).not.toBe(first);
      await choose(own, { groups: "64" });
      await expect.poll(() => form.textContent()).toContain("conv2d/depthwise");
      await choose(own, { groups: "3" });
      expect(await form.locator(".problem").textContent()).toContain("groups = 3 must divide");
      expect(await form.locator(".run").isDisabled()).toBe(true);
    });
  });
});
