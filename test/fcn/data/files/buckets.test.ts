import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { data } from "@fcn/core";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { isDeepImage, readImageSize } from "../../../../packages/fcn/src/data/decode/image.js";
import {
  kindOf,
  listFiles,
  listFolders,
  readStart,
  sizeOf,
  stampOf,
} from "../../../../packages/fcn/src/data/files/files.js";
import { openPlace } from "../../../../packages/fcn/src/places/open.js";
import { bytes, copyFolder, setEnv, useServers } from "../../../support/places.js";
import { writeTinyData } from "../../training/tinyData.js";
import { photos, TREES } from "../layoutTrees.js";
import { greyPng, temporaryFolder, writeTree } from "../trees.js";

const root = await temporaryFolder("fcn-data-buckets");
const servers = useServers();

beforeAll(async () => {
  setEnv(servers.s3.env);
  await writeTinyData(join(root, "folder"), 5);
  for (const [layout, files] of Object.entries(TREES)) await writeTree(join(root, layout), files);
  for (const layout of ["folder", ...Object.keys(TREES)]) await copyFolder(join(root, layout), `s3://bucket/${layout}`);
});

const elsewhere = (value: unknown, folder: string): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, part) => (key === "seconds" ? undefined : part)).replaceAll(
      folder,
      folder.replace(root, "s3://bucket"),
    ),
  );

describe.each(["folder", "voc", "coco", "labelme"])("data of the layout %s in a bucket", (layout) => {
  const [folder, address] = [join(root, layout), `s3://bucket/${layout}`];

  it("are those of the folder, sample by sample", async () => {
    const [here, there] = [await data.open(folder), await data.open(`${address}/`)];
    expect(there.layout).toBe(layout);
    expect(elsewhere(there, folder)).toEqual(elsewhere(here, folder));
    expect(Object.keys(there.splits)).toContain("train");
    for (const [name, dataset] of Object.entries(here.splits)) {
      for (let i = 0; i < dataset.length; i++) expect(await there.splits[name]?.load(i)).toEqual(await dataset.load(i));
    }
  });

  it.each([0, 2])("are checked alike, by %i threads", async (workers) => {
    const report = await data.check(address, { workers });
    expect(elsewhere(report, folder)).toEqual(elsewhere(await data.check(folder), folder));
  });
});

const READ = "?x-id=GetObject";

describe("a bucket with data", () => {
  /** What the server was asked for meanwhile: lists, and objects. */
  const requestsOf = async (use: () => Promise<unknown>): Promise<string[]> => {
    const before = (await servers.s3.settledLog()).length;
    await use();
    const lines = (await servers.s3.settledLog()).slice(before).split("\n");
    return lines.flatMap((line) => / t\/(\S*\?(list-type|x-id=GetObject))/.exec(line)?.[1] ?? []);
  };

  it("is listed once to be opened, and each image is read when it is wanted", async () => {
    let opened: Awaited<ReturnType<typeof data.open>> | undefined;
    const opening = await requestsOf(async () => {
      opened = await data.open("s3://bucket/voc");
    });
    expect(opening).toEqual([
      "?list-type",
      ...["train", "val"].map((name) => `voc/ImageSets/Segmentation/${name}.txt${READ}`),
    ]);
    const loading = await requestsOf(() => Promise.all([0, 1].map((i) => opened?.splits.train?.load(i))));
    const files = ["JPEGImages/0.jpg", "JPEGImages/1.jpg", "SegmentationClass/0.png", "SegmentationClass/1.png"];
    expect(loading.sort()).toEqual(files.map((file) => `voc/${file}${READ}`));
  });

  it("may be a whole bucket, and lies where folders with almost its name are", async () => {
    await copyFolder(join(root, "folder"), "s3://bucket/two/data");
    await copyFolder(join(root, "voc"), "s3://bucket/two/data-of-others");
    expect((await data.open("s3://bucket/two/data")).layout).toBe("folder");
    expect(await listFolders("s3://bucket/two")).toEqual(["data", "data-of-others"]);
    expect(await listFolders("s3://bucket")).toContain("two");
    expect(await kindOf("s3://bucket")).toBe("folder");
  });

  it("says what is there as a folder would", async () => {
    expect(await kindOf("s3://bucket/voc/ImageSets")).toBe("folder");
    expect(await kindOf("s3://bucket/voc/JPEGImages/0.jpg")).toBe("file");
    expect(await kindOf("s3://bucket/voc/JPEGImages/0")).toBeUndefined();
    expect(await listFiles("s3://bucket/coco", { recursive: true })).toEqual(
      Object.keys(TREES.coco as object)
        .filter((name) => !name.startsWith("."))
        .sort(),
    );
    expect(await listFiles("s3://bucket/coco")).toEqual([]);
    expect(await readStart("s3://bucket/voc/JPEGImages/0.jpg", 7)).toEqual(photos[0].subarray(0, 7));
    await expect(listFiles("s3://bucket/nothing")).rejects.toMatchObject({ code: "missing-data" });
  });

  it("may have objects that mark its folders by their names, with and without a slash", async () => {
    const address = await copyFolder(join(root, "folder"), "s3://bucket/marked");
    const marked = await openPlace("s3://bucket");
    for (const name of ["marked", "marked/images", "marked/masks"]) await marked.write(name, bytes(""));
    const { splits } = await data.open(address);
    expect(splits.train?.length).toBe((await data.open(join(root, "folder"))).splits.train?.length);
    expect(await kindOf(`${address}/images`)).toBe("folder");
  });

  it("has an empty object as an empty image", async () => {
    const address = await copyFolder(join(root, "folder"), "s3://bucket/empty-image");
    await (await openPlace(address)).write("images/1.png", bytes(""));
    const { remarks, ok } = await data.check(address);
    const empty = { file: `${address}/images/1.png`, text: expect.stringMatching(/it is empty/) };
    expect([ok, remarks]).toEqual([false, expect.arrayContaining([expect.objectContaining(empty)])]);
  });

  it("tells of a file that was replaced, also in its report", async () => {
    const address = await copyFolder(join(root, "folder"), "s3://bucket/changing");
    const opened = await data.open(address);
    const before = await stampOf(`${address}/masks/0.png`);
    const { splits } = await data.check(opened);
    await (await openPlace(address)).write(
      "masks/0.png",
      greyPng(32, 32, () => 2),
    );
    expect(await stampOf(`${address}/masks/0.png`)).not.toBe(before);
    expect((await data.check(opened)).splits).not.toEqual(splits);
  });
});

describe("what is wrong with data elsewhere", () => {
  const failure = (work: Promise<unknown>): Promise<Error & { code: string; fix: string }> =>
    work.then(
      () => Promise.reject(new Error("it did not fail")),
      (error) => error,
    );

  it.each([
    ["s3://nobucket/a", "missing-data", /^s3:\/\/nobucket\/a.*: there is no bucket nobucket$/],
    ["s3://bucket/nothing", "missing-data", /^s3:\/\/bucket\/nothing: it does not exist$/],
    ["s3://bucket/folder/classes.json", "missing-data", /: it is a file$/],
    ["s3://", "invalid-argument", /"" is not the name of a bucket$/],
    ["https://example.com/photos", "unsupported", /a web server does not list its files/],
    ["gs://bucket/photos", "unsupported", /images are not read from gs:\/\/$/],
    ["s3:/bucket/photos", "unsupported", /images are not read from s3:$/],
  ])("is one line for %s", async (address, code, message) => {
    const error = await failure(data.open(address));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.fix).toBeTruthy();
    expect(`${error.message}${error.fix}`).not.toContain("\n");
  });

  it("is that all names below it have empty parts, which no folder has", async () => {
    const list = `<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated><Contents>
      <Key>photos//images/1.png</Key><Size>9</Size></Contents></ListBucketResult>`;
    const server = createServer((_, response) => void response.writeHead(200).end(list));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    expect(await failure(data.open("s3://bucket/photos/"))).toMatchObject({
      code: "missing-data",
      message: expect.stringMatching(/^s3:\/\/bucket\/photos: .* an empty part, .*, such as "\/images\/1\.png"$/),
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("is the object that vanished, or a server that does not answer, when an image is read", async () => {
    const address = await copyFolder(join(root, "voc"), "s3://bucket/vanishing");
    const { splits } = await data.open(address);
    await (await openPlace(address)).remove("JPEGImages/1.jpg");
    expect(await failure(splits.train?.load(1) as Promise<unknown>)).toMatchObject({
      code: "missing-data",
      message: "s3://bucket/vanishing/JPEGImages/1.jpg: there is no such file",
    });
    const { remarks, ok } = await data.check(address);
    expect([ok, remarks[0]?.file]).toEqual([false, `${address}/JPEGImages/1.jpg`]);
    setEnv({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
    expect(await failure(splits.train?.load(0) as Promise<unknown>)).toMatchObject({ code: "no-network" });
  });

  it("is not the length of a header: what is in the first bytes is read from them, all else from the whole", async () => {
    const image = sharp(
      new Uint8Array(300 * 200 * 3).map((_, i) => i * i),
      { raw: { height: 300, width: 200, channels: 3 } },
    );
    const files = {
      "flat.tif": await image.tiff({ compression: "none" }).toBuffer(),
      "flat.png": await image.png().toBuffer(),
    };
    const deep = await image.toColourspace("rgb16").tiff({ compression: "none" }).toBuffer();
    for (const [name, content] of Object.entries({ ...files, "deep.tif": deep })) {
      await (await openPlace("s3://bucket/headers")).write(name, new Uint8Array(content));
      expect(await readImageSize(`s3://bucket/headers/${name}`)).toEqual({ height: 300, width: 200 });
      expect(await isDeepImage(`s3://bucket/headers/${name}`)).toBe(name === "deep.tif");
    }
  });

  it("is a text that is none", async () => {
    const address = await copyFolder(join(root, "folder"), "s3://bucket/text");
    await (await openPlace(address)).write("classes.json", bytes(""));
    expect(await failure(data.open(address))).toMatchObject({
      code: "corrupt-file",
      message: `${address}/classes.json: it is empty (0 bytes)`,
    });
  });
});

describe("cut-outs and backgrounds in a bucket", () => {
  it("are those of the folders", async () => {
    await mkdir(join(root, "cut"), { recursive: true });
    const raw = new Uint8Array(20 * 20 * 4).map((_, i) => (i % 4 === 3 ? (i < 800 ? 255 : 0) : i));
    const png = await sharp(raw, { raw: { width: 20, height: 20, channels: 4 } })
      .png()
      .toBuffer();
    await writeFile(join(root, "cut", "a.png"), png);
    await copyFolder(join(root, "cut"), "s3://bucket/cut");
    const read = async (base: string) => {
      const { cutouts, backgrounds } = await data.loadComposite({
        cutouts: { bird: [`${base}/cut/`] },
        backgrounds: [`${base}/voc/JPEGImages`],
      });
      return { cutouts: cutouts.map(({ image }) => image), backgrounds };
    };
    const here = await read(root);
    expect([here.cutouts.length, here.backgrounds.length]).toEqual([1, 3]);
    expect(await read("s3://bucket")).toEqual(here);
  });
});

describe("a bucket that does not answer", () => {
  /** A server that passes requests on, unless the path matches what it is to refuse. */
  async function refusing(): Promise<{ refuse: RegExp; close(): Promise<unknown>; url: string }> {
    const state = { refuse: /^$/ };
    const server = createServer(async (request, response) => {
      if (state.refuse.test(request.url ?? "")) return void request.socket.destroy();
      const headers = { ...(request.headers as Record<string, string>) };
      const answer = await fetch(`${servers.s3.env.AWS_ENDPOINT_URL_S3}${request.url}`, {
        ...{ method: request.method as string, headers },
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = (): Promise<unknown> => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    };
    return Object.assign(state, { close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  }

  it("ends what is opened, checked and loaded, in place of less of it", async () => {
    const proxy = await refusing();
    setEnv({ AWS_ENDPOINT_URL_S3: proxy.url });
    const away = (work: Promise<unknown>) => expect(work).rejects.toMatchObject({ code: "no-network" });
    for (const [address, refuse] of [
      ["s3://bucket/folder", /masks\/3\.png/],
      ["s3://bucket/folder", /images\/2\.png/],
      ["s3://bucket/folder", /classes\.json/],
      ["s3://bucket/labelme", /b\/2\.json/],
      ["s3://bucket/coco", /instances_val/],
      ["s3://bucket/folder", /list-type/],
    ] as const) {
      proxy.refuse = refuse;
      await away(data.open(address));
    }
    proxy.refuse = /^$/;
    const { splits } = await data.open("s3://bucket/folder");
    proxy.refuse = /images\/\d\.png/;
    for (const tell of [sizeOf, stampOf]) await away(tell("s3://bucket/folder/images/1.png"));
    const preprocessing = data.IMAGENET_MEAN;
    const loader = new data.DataLoader(splits.train as data.SegmentationDataset, {
      ...{ batchSize: 2, preprocessing, workers: 0 },
    });
    await away(loader.epoch().next());
    await loader.close();
    await away(data.open("s3://bucket/folder", { skipBad: true }));
    await proxy.close();
  });
});
