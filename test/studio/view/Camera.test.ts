import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NO_NET, openStudio, type StudioPage } from "../studioPage.js";

/** A camera that films a test picture; whether it is allowed is decided by each test. */
const FLAGS = [...NO_NET, "--use-fake-device-for-media-stream"];

let studio: StudioPage;
beforeAll(async () => {
  studio = await openStudio(FLAGS);
});
afterAll(async () => {
  expect(studio.problems).toEqual([]);
  await studio.close();
});

const dialogue = (page: Page) => page.getByRole("dialog", { name: "Take a photo" });

/** The page with the dialogue of the camera, where a person allows these things and denies all others. */
async function withCamera(...permissions: readonly string[]): Promise<Page> {
  const page = await studio.open({ permissions: [...permissions] });
  await page.getByRole("button", { name: /^Show Andes/ }).waitFor();
  // Whether a camera is still filming is seen on its tracks, which the page keeps to itself.
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    const ask = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      Object.assign(window, { filming: stream.getTracks() });
      return stream;
    };
  });
  await page.getByRole("button", { name: "Take a photo" }).click();
  return page;
}

const filming = (page: Page): Promise<string[]> =>
  page.evaluate(() => (window as unknown as { filming: MediaStreamTrack[] }).filming.map((track) => track.readyState));

describe("the camera", () => {
  it("gives photos that are images of the session, one a click, and films while its dialogue is open only", async () => {
    const page = await withCamera("camera");
    const video = dialogue(page).locator("video");
    await video.waitFor();
    const { width, height } = await video.evaluate(({ videoWidth, videoHeight }: HTMLVideoElement) => ({
      width: videoWidth,
      height: videoHeight,
    }));
    expect(await filming(page)).toEqual(["live"]);
    await dialogue(page).getByRole("button", { name: "Take the photo" }).click();
    await dialogue(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Show photo.jpg (0 strokes)" }).waitFor();
    expect(await filming(page)).toEqual(["ended"]);
    // The example has made room, and the photo is the one that is shown.
    expect(await page.getByRole("button", { name: /^Show / }).count()).toBe(1);
    const picture = page.getByRole("button", { name: /^Show photo/ }).locator("img");
    await picture.waitFor();
    const size = await picture.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
    expect(size[0]! / size[1]!).toBeCloseTo(width / height, 1);
    await page.getByRole("button", { name: "Take a photo" }).click();
    // A double click takes one photo as well.
    await dialogue(page).getByRole("button", { name: "Take the photo" }).dblclick();
    await page.getByRole("button", { name: "Show photo-2.jpg (0 strokes)" }).waitFor();
    await page.getByRole("button", { name: "Take a photo" }).click();
    await video.waitFor();
    await page.keyboard.press("Escape");
    await dialogue(page).waitFor({ state: "detached" });
    await expect.poll(() => filming(page)).toEqual(["ended"]);
    await page.reload();
    await page.getByRole("button", { name: "Show photo-2.jpg (0 strokes)" }).waitFor();
    expect(await page.getByRole("button", { name: /^Show / }).count()).toBe(2);
    await page.context().close();
  });

  it("that is denied is told of in one sentence, with what to do, and the page stays as it was", async () => {
    const page = await withCamera();
    await expect
      .poll(() => dialogue(page).getByRole("alert").allTextContents())
      .toEqual(["The camera is not allowed here: allow it beside the address of the page, then open this again."]);
    expect(await dialogue(page).getByRole("status").count()).toBe(0);
    expect(await dialogue(page).locator("video").isVisible()).toBe(false);
    expect(await dialogue(page).getByRole("button", { name: "Take the photo" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    await dialogue(page).waitFor({ state: "detached" });
    await page.getByRole("button", { name: /^Show Andes/ }).waitFor();
    await page.context().close();
  });
});
