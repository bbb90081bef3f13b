import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Saved } from "../../../studio/src/store/store.js";
import { bundle } from "../../support/bundle.js";
import { onPage, runOn } from "../../support/page.js";
import type { Kept, Told } from "./storeExercise.js";

const EXERCISE = "../studio/store/storeExercise";

function run<Result>(page: Page, name: string, ...args: readonly unknown[]): Promise<Result> {
  return runOn<Result>(page, EXERCISE, name, ...args);
}

/** Runs a function of the exercise on a page whose origin is opaque, as where cookies and site data are blocked. */
async function runWithoutOrigin<Result>(page: Page, name: string): Promise<Result> {
  const source = fileURLToPath(new URL("./storeExercise.ts", import.meta.url));
  const chunks = await bundle(`export { ${name} } from ${JSON.stringify(source)};`);
  await page.route("http://localhost/**", (route) => {
    const code = chunks.find(({ fileName }) => route.request().url().endsWith(fileName))?.code;
    const open = { "access-control-allow-origin": "*" };
    if (code !== undefined) return route.fulfill({ contentType: "text/javascript", headers: open, body: code });
    const headers = { "content-security-policy": "sandbox allow-scripts" };
    return route.fulfill({ contentType: "text/html", headers, body: "<!doctype html>" });
  });
  await page.goto("http://localhost/");
  const entry = chunks.find(({ isEntry }) => isEntry)?.fileName;
  return page.evaluate(`import("http://localhost/${entry}").then(({ ${name} }) => ${name}())`) as Promise<Result>;
}

describe("openStore", () => {
  it("keeps session, images and net over a reload, and removes them", async () => {
    await onPage(async (page) => {
      const empty = await run<Kept>(page, "readStore");
      expect(empty).toMatchObject({ imageIds: [] });
      expect([empty.saved, empty.image, empty.net]).toEqual([undefined, undefined, undefined]);
      const written = await run<Saved>(page, "fillStore", "sky");
      const kept = await run<Kept>(page, "readStore");
      expect(kept.saved).toEqual(written);
      expect(kept.saved?.session.classes[0]?.name).toBe("sky");
      expect(kept).toMatchObject({ imageIds: ["image-1"], image: "pixels", type: "image/png", net: [7, "a", 1, 2, 3] });
      expect(kept.bytes).toBeGreaterThan(0);
      expect(kept.most).toBeGreaterThan(kept.bytes);
      const [without, cleared] = await run<Kept[]>(page, "removeAll");
      expect(without).toMatchObject({ imageIds: [] });
      expect([without?.saved?.session.classes[0]?.name, without?.net]).toEqual(["sky", undefined]);
      expect([cleared?.saved, cleared?.net, cleared?.imageIds]).toEqual([undefined, undefined, []]);
    });
  });

  it("says so when there is no room, and what was there stays", async () => {
    await onPage(async (page) => {
      // Chromium remembers what room there is from the first use of the store on.
      const session = await page.context().newCDPSession(page);
      await session.send("Storage.overrideQuotaForOrigin", { origin: "http://localhost", quotaSize: 2 ** 20 });
      const written = await run<Saved>(page, "fillStore", "sky");
      const { image, net } = await run<{ image: Told; net: Told }>(page, "overfill", 8 * 2 ** 20);
      expect(image.code).toBe("storage-full");
      expect(image.message).toContain("no room left");
      expect(net.code).toBe("storage-full");
      const kept = await run<Kept>(page, "readStore");
      expect(kept.saved).toEqual(written);
      expect(kept).toMatchObject({ imageIds: ["image-1"], image: "pixels", net: [7, "a", 1, 2, 3] });
    });
  });

  it("says so where the browser keeps nothing", async () => {
    const told = await onPage((page) => runWithoutOrigin<Told>(page, "openDenied"));
    expect(told.code).toBe("storage-denied");
    expect(told.message).toBe("The browser keeps nothing for this page, so all is lost when the tab is closed.");
  });

  it("says so when what was kept is not what it wrote", async () => {
    const results = await onPage((page) => run<(Told | undefined)[]>(page, "damage"));
    expect(results.slice(0, 5).map((told) => told?.code)).toEqual(new Array(5).fill("storage-damaged"));
    expect(results.slice(0, 5).map((told) => /used: (.*)\.$/.exec(told?.message ?? "")?.[1])).toEqual([
      'the file of the image "image-2" is missing',
      "the session is missing",
      "it has 0 classes, and 1 to 254 are possible",
      'the height of an image is "30"',
      'the net of its settings is "unknown"',
    ]);
    // An image that is gone is not shown, which is no damage.
    expect(results[5]).toBeUndefined();
  });
});
