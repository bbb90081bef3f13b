import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { choose, draw, image, NO_NET, openStudio, panel, type StudioPage, takeAway } from "../studioPage.js";

let studio: StudioPage;
beforeAll(async () => {
  studio = await openStudio(NO_NET);
});
afterAll(async () => {
  expect(studio.problems).toEqual([]);
  await studio.close();
});

/** The page with these images of one's own and nothing painted. */
async function withImages(...names: readonly string[]): Promise<Page> {
  const page = await studio.open();
  await choose(page, "Add images", await Promise.all(names.map((name) => image(name))));
  await page.getByRole("button", { name: `Show ${names[0]} (0 strokes)` }).waitFor();
  // What is said of the missing GPU lies over the image until it is read.
  await page.locator(".note", { hasText: "WebGPU" }).getByRole("button", { name: "Dismiss" }).click();
  return page;
}

/** Strokes of each class, as the list of classes says. */
const counts = (page: Page): Promise<string[]> =>
  page.getByRole("list", { name: "Classes" }).locator(".count").allTextContents();

describe("painting", () => {
  it("counts strokes by class, undoes and redoes them, and takes them over a reload", async () => {
    const page = await withImages("a.png", "b.png");
    await page.keyboard.press("1");
    await draw(page, [
      [0.35, 0.4],
      [0.5, 0.4],
    ]);
    await page.keyboard.press("2");
    await draw(page, [
      [0.35, 0.6],
      [0.5, 0.6],
      [0.6, 0.5],
    ]);
    expect(await counts(page)).toEqual(["1 strokes", "1 strokes"]);
    await page.keyboard.press("Control+z");
    expect(await counts(page)).toEqual(["1 strokes", "0 strokes"]);
    await page.keyboard.press("Control+Shift+Z");
    expect(await counts(page)).toEqual(["1 strokes", "1 strokes"]);
    await page.keyboard.press(".");
    await page.getByRole("button", { name: "Show b.png (0 strokes)", pressed: false }).waitFor();
    await page.keyboard.press("p");
    for (const place of [
      [0.4, 0.4],
      [0.6, 0.4],
      [0.5, 0.6],
    ] as const)
      await draw(page, [place]);
    await page.keyboard.press("Enter");
    expect(await counts(page)).toEqual(["1 strokes", "2 strokes"]);
    await page.keyboard.press("1");
    await page.keyboard.press("f");
    await draw(page, [[0.5, 0.47]]);
    await page.getByRole("button", { name: "Show b.png (2 strokes)" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Show b.png (2 strokes)" }).waitFor();
    expect(await counts(page)).toEqual(["2 strokes", "2 strokes"]);
    await page.context().close();
  });

  it("draws on the canvas what the session holds, opaque, and hatches what is held back", async () => {
    const page = await withImages("a.png");
    await page.keyboard.press("1");
    for (const y of [0.3, 0.5, 0.7])
      await draw(page, [
        [0.4, y],
        [0.6, y],
      ]);
    const drawn = () =>
      page.locator("canvas.strokes").evaluate((canvas: HTMLCanvasElement) => {
        const { width, height } = canvas;
        const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(0, 0, width, height);
        const column = Math.floor(width / 2);
        const shareOf = (row: number): number => {
          let opaque = 0;
          for (let x = column - 40; x < column + 40; x++)
            if ((data[4 * (row * width + x) + 3] as number) > 200) opaque++;
          return opaque / 80;
        };
        const rows: number[] = [];
        for (let row = 0; row < height; row++) if (shareOf(row) > 0.1) rows.push(shareOf(row));
        return {
          solid: rows.filter((share) => share === 1).length,
          hatched: rows.filter((share) => share < 0.8).length,
        };
      });
    await expect.poll(async () => (await drawn()).hatched).toBeGreaterThan(25);
    const shares = await drawn();
    expect(shares.solid).toBeGreaterThan(50);
    expect(shares.solid / shares.hatched).toBeCloseTo(2, 0);
    await page.context().close();
  });
});

describe("files", () => {
  it("takes away what is painted as masks and data set, and brings the data set back as it was", async () => {
    const page = await withImages("a.png", "b.png");
    await page.keyboard.press("2");
    await draw(page, [
      [0.4, 0.4],
      [0.6, 0.6],
    ]);
    await panel(page, "Take away");
    const mask = await takeAway(page, "Masks (PNG)");
    const { data, info } = await sharp(mask).raw().toBuffer({ resolveWithObject: true });
    expect([info.height, info.width]).toEqual([120, 160]);
    expect(new Set(data).size).toBeGreaterThan(1);
    const zip = await takeAway(page, "Data set (zip)");
    await choose(page, "Bring back a zip", [{ name: "data-set.zip", mimeType: "application/zip", buffer: zip }]);
    await page.getByText("1 images were brought back.").waitFor();
    await page.getByRole("button", { name: "Show a-2.png (1 strokes)" }).waitFor();
    expect(await takeAway(page, "Masks (PNG)")).toEqual(mask);
    await page.context().close();
  });

  it("brings back a whole session after asking, and deletes everything after asking", async () => {
    const page = await withImages("a.png");
    await draw(page, [
      [0.4, 0.4],
      [0.6, 0.6],
    ]);
    await panel(page, "Take away");
    const zip = await takeAway(page, "Whole session (zip)");
    await page.keyboard.press("Control+z");
    await page.getByRole("button", { name: "Show a.png (0 strokes)" }).waitFor();
    await choose(page, "Bring back a zip", [{ name: "s.zip", mimeType: "application/zip", buffer: zip }]);
    await page.getByRole("dialog", { name: "Replace what is here?" }).getByRole("button", { name: "Replace" }).click();
    await page.getByRole("button", { name: "Show a.png (1 strokes)" }).waitFor();
    await panel(page, "Take away");
    await page.getByRole("button", { name: "Delete everything" }).click();
    const ask = page.getByRole("dialog", { name: "Delete everything?" });
    await ask.getByRole("button", { name: "Delete everything" }).click();
    await page.getByRole("button", { name: /Show a.png/ }).waitFor({ state: "detached" });
    await page.context().close();
  });

  it("says in a sentence what is wrong with a file, and keeps the rest", async () => {
    const page = await withImages("a.png");
    const text = { name: "text.jpg", mimeType: "image/jpeg", buffer: Buffer.from("Not an image at all.") };
    await choose(page, "Add images", [text, await image("b.png")]);
    await page.getByRole("alert").getByText('"text.jpg" is text, not an image.').waitFor();
    await page.getByRole("button", { name: "Show b.png (0 strokes)" }).waitFor();
    const onnx = { name: "net.onnx", mimeType: "", buffer: Buffer.from("x") };
    await choose(page, "Load weights", [onnx]);
    await page
      .getByRole("alert")
      .getByText(/"net.onnx" is not a weights file that the studio takes/)
      .waitFor();
    const zip = { name: "other.zip", mimeType: "application/zip", buffer: Buffer.from("PK-not-really") };
    await choose(page, "Add images", [zip]);
    await page
      .getByRole("alert")
      .getByText(/"other.zip" is a damaged zip/)
      .waitFor();
    expect(await page.getByRole("button", { name: /^Show / }).count()).toBe(2);
    await page.context().close();
  });
});

describe("bringing images", () => {
  it("takes what is dropped and pasted, and renames and removes images", async () => {
    const page = await withImages("a.png");
    const bytes = [...(await image("b.png")).buffer];
    for (const [type, name] of [
      ["drop", "b.png"],
      ["paste", "c.png"],
    ] as const) {
      await page.evaluate(
        ([event, called, list]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(list)], called, { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          window.dispatchEvent(
            event === "drop"
              ? new DragEvent("drop", { ...options, dataTransfer: transfer })
              : new ClipboardEvent("paste", { ...options, clipboardData: transfer }),
          );
        },
        [type, name, bytes] as const,
      );
      await page.getByRole("button", { name: `Show ${name} (0 strokes)` }).waitFor();
    }
    await page.getByRole("textbox", { name: "Name of the image" }).fill("a.png");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Show a-2.png (0 strokes)" }).waitFor();
    await page.getByRole("button", { name: "Remove a-2.png" }).click();
    await page.getByRole("button", { name: "Show b.png (0 strokes)", exact: true }).waitFor();
    expect(await page.getByRole("button", { name: /^Show / }).count()).toBe(2);
    await page.keyboard.press("Control+z");
    await page.getByRole("button", { name: "Show a-2.png (0 strokes)" }).waitFor();
    await page.context().close();
  });
});

describe("the page", () => {
  it("says why there is no net, and lets one tab at a time change what is kept", async () => {
    const page = await withImages("a.png");
    await page.getByText("The net cannot run here.").waitFor();
    expect(await page.getByRole("switch", { name: "Training" }).isDisabled()).toBe(true);
    const second = await page.context().newPage();
    await second.goto(page.url());
    const cover = second.getByRole("alertdialog", { name: "The studio is open in another tab" });
    await cover.getByRole("button", { name: "Use it here" }).click();
    await second.getByRole("button", { name: "Show a.png (0 strokes)" }).waitFor();
    await page.getByRole("alertdialog", { name: "The studio is open in another tab" }).waitFor();
    await page.context().close();
  });

  it("has no serious finding of axe at three widths, light and dark, in any panel", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const findings: string[] = [];
    const check = async (page: Page, where: string): Promise<void> => {
      const { violations } = (await page.evaluate("axe.run()")) as AxeResults;
      for (const { impact, id, nodes } of violations) {
        if (impact === "serious" || impact === "critical") findings.push(`${where}: ${id} ${nodes[0]?.html}`);
      }
    };
    for (const [width, height] of [
      [1280, 800],
      [768, 1024],
      [375, 812],
    ] as const) {
      for (const colorScheme of ["light", "dark"] as const) {
        const page = await studio.open({ viewport: { width, height }, colorScheme });
        await page.getByText("The net cannot run here.").waitFor({ state: "attached" });
        await page.evaluate(axe);
        const names = width > 1020 ? ["Learn", "Take away"] : ["Paint", "Images", "Learn", "Take away"];
        for (const name of names) {
          await panel(page, name);
          await check(page, `${width} ${colorScheme} ${name}`);
        }
        await page.keyboard.press("?");
        await check(page, `${width} ${colorScheme} help`);
        const scrolled = await page.evaluate("document.documentElement.scrollWidth");
        expect(scrolled).toBe(width);
        await page.context().close();
      }
    }
    expect(findings).toEqual([]);
  });
});
