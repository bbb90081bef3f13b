import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { data, predict, showPrediction, toTensor } from "@fcn/core";
import { createDevice, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { onPage, runOn } from "../../../support/page.js";
import { photo } from "../../data/trees.js";
import { RAW, smallNet } from "../nets.js";

it("canvases show what predict says, in every view, without reading anything back", async () => {
  const found = await onPage((page) => runOn<Record<string, unknown>>(page, "prediction-exercise", "showExercise"));
  expect(found.classes).toBeGreaterThan(2);
  expect(found.drawn).toBeGreaterThan(100);
  expect(found).toMatchObject({ overlay: 0, plain: 0, colours: 0, outline: 0, entropy: true, unsure: true, leaked: 0 });
  expect(found.tiles).toEqual([true, 0]);
  expect(found.sizes).toBe("75x131,75x131,75x131,75x131");
  expect(found.reads).toMatchObject({ mapAsync: 0, getMappedRange: 0 });
  expect(found.refused).toEqual([
    expect.stringMatching(/showPrediction: show is "borders", expected one of: overlay, classes, outline, entropy/),
    expect.stringMatching(/showPrediction: alpha is 2, expected a number from 0 to 1/),
    expect.stringMatching(/the image has 3 channels, mean has 1 values/),
    expect.stringMatching(/head/),
  ]);
  expect(found.missing).toBe("showPrediction: the list of canvases is empty");
});

interface Inputs {
  readonly wrong: readonly string[];
  readonly names: readonly string[];
  readonly errors: Readonly<Record<string, string>>;
}

it("every kind of image of a page is the same to predict, toTensor and decodeImage", async () => {
  const got = await onPage(async (page) => {
    let picture: Buffer | undefined;
    await page.exposeFunction("serve", (bytes: number[]) => {
      picture = Buffer.from(bytes);
    });
    await page.route("**/*.png", (route) => {
      const { pathname, port } = new URL(route.request().url());
      if (port === "1") return route.abort();
      if (pathname === "/nowhere.png") return route.fulfill({ status: 404, body: "no" });
      if (pathname === "/page.png") return route.fulfill({ contentType: "text/html", body: "<!doctype html><p>hello" });
      return route.fulfill({ contentType: "image/png", body: picture as Buffer });
    });
    return runOn<Inputs>(page, "prediction-exercise", "inputExercise");
  });
  expect(got.names).toHaveLength(15);
  expect(got.wrong).toEqual([]);
  expect(got.errors.missing).toMatch(/download-refused.* nowhere\.png: the server answered 404/);
  expect(got.errors.page).toMatch(/download-refused.* page\.png: the server sent a web page \(HTML\), not a file/);
  expect(got.errors.text).toMatch(/unsupported-file.* photo\.jpg: it is no image of a known format/);
  expect(got.errors.gone).toMatch(/no-network.* http:\/\/localhost:1\/scene\.png: the connection failed before a byte/);
  expect(got.errors.number).toMatch(/predict: got number, but needs an image/);
});

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

it("in Node, addresses and blobs are images too, and there is no canvas", async () => {
  const bytes = new Uint8Array(await photo(24, 32, 5).png().toBuffer());
  const server = createServer((request, answer) => {
    if (request.url === "/photo.png") answer.end(bytes);
    else answer.writeHead(404).end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const address = `http://127.0.0.1:${port}/photo.png`;
  try {
    const net = smallNet(device);
    const { labels } = await predict(net, bytes, { preprocessing: RAW });
    const values = await (await toTensor(device, bytes)).data();
    for (const image of [address, new URL(address), new Blob([bytes]), new File([bytes], "a.png")]) {
      expect((await predict(net, image, { preprocessing: RAW })).labels).toEqual(labels);
      expect(await (await toTensor(device, image)).data()).toEqual(values);
    }
    const { image } = await data.decodeImage("photo", new Blob([bytes]));
    expect([image.height, image.width, image.channels]).toEqual([24, 32, 3]);
    await expect(predict(net, `http://127.0.0.1:${port}/none.png`, { preprocessing: RAW })).rejects.toThrow(
      `predict: http://127.0.0.1:${port}/none.png: the server answered 404 Not Found`,
    );
    await expect(showPrediction(net, bytes, undefined as never, { preprocessing: RAW })).rejects.toThrow(
      /drawToCanvas: there is no canvas to draw on/,
    );
  } finally {
    server.close();
  }
});
