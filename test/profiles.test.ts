import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { create } from "webgpu";
import { type Exercise, exercise } from "./support/exercise.js";
import type { Offered } from "./support/offered.js";
import { launch, runOn } from "./support/page.js";
import { PROFILES, type Profile, type ProfileName, takeAway } from "./support/profiles.js";

function largestShare(got: readonly number[], want: readonly number[]): number {
  expect(got).toHaveLength(want.length);
  const range = Math.max(...want) - Math.min(...want);
  return Math.max(...want.map((value, i) => Math.abs(value - (got[i] as number)))) / range;
}

/** What every browser must agree on with Node, whose numbers have been compared with PyTorch. */
function expectSame(got: Exercise, want: Exercise): void {
  expect(largestShare(got.logits, want.logits)).toBeLessThan(1e-4);
  expect(got.loss).toBeCloseTo(want.loss, 4);
  expect(largestShare(got.trained, want.trained)).toBeLessThan(1e-4);
  expect(got.onnxBytes).toBe(want.onnxBytes);
  expect(got.steps.captured).toEqual(got.steps.run);
  for (const [i, loss] of want.steps.run.entries()) expect(got.steps.run[i]).toBeCloseTo(loss, 3);
  expect(got.ofNaN).toBe(want.ofNaN);
}

let want: Exercise;
let browser: Browser;
beforeAll(async () => {
  want = await exercise();
  browser = await launch();
});
afterAll(() => browser?.close());

const names = Object.keys(PROFILES) as ProfileName[];

/** A page on which WebGPU offers no more than the profile. */
async function pageOf(profile: Profile): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript(`if (navigator.gpu) (${takeAway})(${JSON.stringify(profile)}, navigator.gpu);`);
  return page;
}

describe.each(names)("a page of a browser that has what %s has", (name) => {
  it("offers no more than that", async () => {
    const profile: Profile = PROFILES[name];
    const page = await pageOf(profile);
    const found = await runOn<Offered>(page, "offered", "offered");
    await page.close();
    if (profile.features) expect(profile.features).toEqual(expect.arrayContaining([...found.features]));
    else expect(found.features).toContain("core-features-and-limits");
    expect(found.features.includes("subgroups")).toBe(name === "chromium");
    expect(found.languageFeatures).toBe(name === "chromium");
    expect(found.info === "").toBe(profile.isNameless);
    expect(found.largestBuffer === 2 ** 28).toBe(profile.hasDefaultLimits);
    expect(found.hasDispose).toBe(profile.hasDispose);
    expect(found.refused).toBe(profile.isPlain);
  });

  it("computes, trains and captures as Node does", async () => {
    const page = await pageOf(PROFILES[name]);
    const got = await runOn<Exercise>(page, "exercise", "exercise");
    await page.close();
    expect(got.runtime).toBe("browser");
    expectSame(got, want);
  });
});

describe.each(names)("Node with a WebGPU that has what %s has", (name) => {
  it("computes, trains and captures as with all", async () => {
    const gpu = create([]);
    takeAway({ ...PROFILES[name], hasDispose: true }, gpu);
    const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
    Object.defineProperty(globalThis, "navigator", { configurable: true, value: { gpu } });
    try {
      const got = await exercise();
      expect(got.runtime).toBe("browser");
      expectSame(got, want);
    } finally {
      if (before) Object.defineProperty(globalThis, "navigator", before);
      else Reflect.deleteProperty(globalThis, "navigator");
    }
  });
});
