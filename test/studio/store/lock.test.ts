import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { onPage, runOn } from "../../support/page.js";

const take = (page: Page, steal: boolean): Promise<boolean> =>
  runOn<boolean>(page, "../studio/store/storeExercise", "takeHold", steal);

describe("holdSession", () => {
  it("lets one tab have the session, and another take it, which the first is told", async () => {
    await onPage(async (_, browser) => {
      const context = await browser.newContext();
      const [first, second] = [await context.newPage(), await context.newPage()];
      expect(await take(first, false)).toBe(true);
      expect(await take(second, false)).toBe(false);
      expect(await first.title()).toBe("test");
      expect(await take(second, true)).toBe(true);
      await first.waitForFunction(() => document.title === "stolen");
      expect(await second.title()).toBe("test");
      expect(await take(first, false)).toBe(false);
      await second.close();
      expect(await take(first, false)).toBe(true);
    });
  });
});
