import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { openPlace } from "../../../../packages/fcn/src/places/open.js";
import type { Place } from "../../../../packages/fcn/src/places/place.js";
import { expandInputs } from "../../../../packages/fcn/src/prediction/files/inputs.js";
import type { PredictSummary } from "../../../../packages/fcn/src/prediction/files/run.js";
import { fcn as command } from "../../../support/commandLine.js";
import { type FileServer, startFileServer } from "../../../support/fileServer.js";
import { type S3Server, startS3Server } from "../../../support/s3Server.js";
import { temporaryFolder } from "../../data/trees.js";
import { makeImage } from "../../prediction/nets.js";

const FCN = fileURLToPath(new URL("../../../../packages/fcn/bin/fcn.js", import.meta.url));
const MANIFEST = ".fcn-predict.json";
const SAVE = ["--save", "labels,overlay,probabilities,polygons"];
const root = await temporaryFolder("fcn-predict-places");
const at = (...parts: string[]): string => join(root, ...parts);
/** Where programs put what is temporary. */
const scratch = at("tmp");
let s3: S3Server;
let web: FileServer;
let bucket: Place;

beforeAll(async () => {
  s3 = await startS3Server("bucket");
  web = await startFileServer();
  await mkdir(at("in", "deep"), { recursive: true });
  await mkdir(scratch);
  const device = await createDevice({ quiet: true });
  using net = fcn.models.create("fcn8s-small", device, { numClasses: 3, seed: 4, widthMultiplier: 0.25 });
  await fcn.saveModel(at("net.safetensors"), net, { classes: ["a", "b", "c"] });
  device.destroy();
  for (const [name, height, width, seed] of [
    ["a.png", 40, 56, 1],
    ["b.png", 33, 70, 2],
    ["deep/a.png", 40, 56, 3],
    ["deep/Ünï & co.png", 40, 40, 4],
  ] as const) {
    const { data } = makeImage(height, width, seed);
    await sharp(data, { raw: { height, width, channels: 3 } })
      .png()
      .toFile(at("in", name));
  }
  await copyFile(at("in", "a.png"), at("in", "A.PNG"));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([s3?.stop(), web?.stop()]);
});
const setEnv = (): void => {
  for (const [name, value] of Object.entries({ ...s3.env, TMPDIR: scratch })) vi.stubEnv(name, value);
};
beforeEach(async () => {
  setEnv();
  bucket = await openPlace("s3://bucket");
});

async function predict(...args: string[]) {
  const { code, stdout, stderr } = await command(["predict", ...args]);
  // It takes what the tests set away.
  setEnv();
  const errors = stderr.split("\n").filter((line) => /^(error|fix|warning): /.test(line));
  // What is made for another machine is gone from this one.
  expect(await readdir(scratch)).toEqual([]);
  return { code, out: stdout, errors };
}
const withNet = ["--weights", at("net.safetensors"), ...SAVE];

/** Puts the images of a folder into a place. */
async function upload(folder: string, place: Place, prefix: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = join(entry.parentPath, entry.name);
    await place.write(`${prefix}/${file.slice(folder.length + 1)}`, { file });
  }
}
async function filesIn(place: Place): Promise<Record<string, string>> {
  const found: [string, string][] = [];
  for await (const { name } of place.list()) found.push([name, Buffer.from(await place.read(name)).toString("base64")]);
  return Object.fromEntries(found.sort());
}
const localFiles = async (folder: string): Promise<Record<string, string>> => filesIn(await openPlace(folder));

it("makes the same files and the same list of a bucket's images, in a bucket, as of a folder in a folder", async () => {
  await upload(at("in"), bucket, "scenes");
  await bucket.write("net.safetensors", { file: at("net.safetensors") });
  expect((await predict(at("in"), ...withNet, "--out", at("local"))).code).toBe(0);
  const wanted = await localFiles(at("local"));
  expect(Object.keys(wanted)).toHaveLength(5 * 4 + 1);
  const listed = JSON.parse(await readFile(at("local", MANIFEST), "utf8")) as { files: object };
  expect(Object.keys(listed.files)).toEqual(Object.keys(wanted).filter((name) => name !== MANIFEST));
  expect(Object.values(listed.files)).toContainEqual({
    bytes: expect.any(Number),
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });

  const weights = ["--weights", "s3://bucket/net.safetensors", ...SAVE];
  const remote = await predict("s3://bucket/scenes/", ...weights, "--out", "s3://bucket/labels", "--json");
  expect(remote).toMatchObject({ code: 0, errors: [] });
  const { images } = JSON.parse(remote.out) as PredictSummary;
  expect(images[0]).toMatchObject({
    input: "s3://bucket/scenes/A.PNG",
    files: { labels: "s3://bucket/labels/A.png", probabilities: "s3://bucket/labels/A.npy" },
  });
  expect(await filesIn(await openPlace("s3://bucket/labels"))).toEqual(wanted);
  // Again, over the results of before; and to and from this machine.
  expect((await predict("s3://bucket/scenes", ...weights, "--out", "s3://bucket/labels")).code).toBe(0);
  expect((await predict(at("in"), ...weights, "--out", "s3://bucket/sent/")).code).toBe(0);
  expect((await predict("s3://bucket/scenes/", ...weights, "--out", at("fetched"))).code).toBe(0);
  for (const place of ["s3://bucket/labels", "s3://bucket/sent", at("fetched")]) {
    expect(await filesIn(await openPlace(place)), place).toEqual(wanted);
  }
});

it("takes images and weights of a web server, and puts results there", async () => {
  const served = await openPlace(`${web.url}/photos`);
  await served.write("b.png", { file: at("in", "b.png") });
  await served.write("Ünï & co.png", { file: at("in", "deep", "Ünï & co.png") });
  await served.write("net.safetensors", { file: at("net.safetensors") });
  const names = [served.addressOf("b.png"), served.addressOf("Ünï & co.png")];
  const weights = ["--weights", served.addressOf("net.safetensors"), "--save", "labels"];
  // The second time over the results of the first.
  for (let i = 0; i < 2; i++) {
    const put = await predict(...names, ...weights, "--out", `${web.url}/labels?key=1`);
    expect(put).toMatchObject({ code: 0, errors: [] });
  }
  const files = [at("in", "b.png"), at("in", "deep", "Ünï & co.png")];
  expect((await predict(...files, ...weights, "--out", at("two"))).code).toBe(0);
  expect(await localFiles(join(web.folder, "labels"))).toEqual(await localFiles(at("two")));
  expect(web.queries.every((query) => query === "?key=1")).toBe(true);
  // Never over an image, on the server either.
  const before = await readFile(join(web.folder, "photos", "b.png"));
  expect((await predict(names[0] as string, ...weights, "--out", `${web.url}/photos`)).code).toBe(0);
  expect(await readFile(join(web.folder, "photos", "b.png"))).toEqual(before);
  expect(await readdir(join(web.folder, "photos"))).toContain("b-2.png");
});

it("takes patterns and prefixes of buckets, leaves hidden files and results out, and tells of broken images", async () => {
  await upload(at("in"), bucket, "mixed");
  await bucket.write("mixed/broken.png", new TextEncoder().encode("no image"));
  await bucket.write("mixed/empty.png", new Uint8Array(0));
  await bucket.write("mixed/notes.txt", new Uint8Array(1));
  await bucket.write("mixed/.hidden.png", { file: at("in", "a.png") });
  const labels = ["--weights", at("net.safetensors"), "--save", "labels", "--json"];
  const inputsOf = ({ out }: { out: string }) => (JSON.parse(out) as PredictSummary).images.map(({ input }) => input);
  const whole = await predict("s3://bucket/mixed/", ...labels, "--out", "s3://bucket/mixed/out");
  expect(whole.code).toBe(1);
  expect(whole.errors).toEqual([
    expect.stringMatching(/^error: s3:\/\/bucket\/mixed\/broken\.png: it is no image/),
    expect.stringMatching(/^error: s3:\/\/bucket\/mixed\/empty\.png: it is empty/),
    expect.stringMatching(/^error: predict: 2 of 7 images could not/),
    expect.stringMatching(/^fix: /),
  ]);
  const images = ["A.PNG", "a.png", "b.png", "broken.png", "deep/a.png", "deep/Ünï & co.png", "empty.png"];
  expect(inputsOf(whole)).toEqual(images.map((name) => `s3://bucket/mixed/${name}`));
  // Lists that are too long are not read to their ends.
  for (const name of ["s3://bucket/mixed/", "s3://bucket/mixed/**"]) {
    await expect(expandInputs([name], { most: 2 })).rejects.toMatchObject({ code: "limit-exceeded" });
  }
  // The results below the prefix are no inputs for a run to elsewhere either.
  const again = await predict("s3://bucket/mixed/", ...labels, "--out", "s3://bucket/again");
  expect(inputsOf(again)).toEqual(inputsOf(whole));
  const chosen = ["s3://bucket/mixed/{a,b}.png", "s3://bucket/mixed/a.png", "s3://bucket/mixed/**/a.*"];
  const patterns = await predict(...chosen, ...labels, "--out", at("patterns"));
  expect([patterns.code, inputsOf(patterns)]).toEqual([
    0,
    ["a.png", "b.png", "deep/a.png"].map((name) => `s3://bucket/mixed/${name}`),
  ]);
  expect((await readdir(at("patterns"))).sort()).toEqual([MANIFEST, "a-2.png", "a.png", "b.png"]);
  const named = await predict(
    "s3://bucket/mixed/out/a-2.png",
    at("in", "b.png"),
    ...labels,
    "--out",
    "s3://bucket/mixed/out",
  );
  expect([named.code, inputsOf(named), named.errors]).toEqual([
    0,
    [at("in", "b.png")],
    ["warning: left out 1 of the files named: results of fcn predict in s3://bucket/mixed/out"],
  ]);
  const missing = [
    "s3://bucket/none.png",
    "s3://bucket/none*.png",
    "s3://bucket/none/",
    "s3://bucket/none",
    `${web.url}/none.png`,
  ];
  const none = await predict(...missing, "s3://nobucket/a/", "ftp://host/a.png", ...labels, "--out", at("none"));
  expect(none.errors).toEqual([
    expect.stringMatching(/^error: s3:\/\/bucket\/none\.png: there is no such file; /),
    expect.stringMatching(/^error: s3:\/\/bucket\/none\*\.png: there is no such file or folder, and no file matches; /),
    expect.stringMatching(/^error: s3:\/\/bucket\/none\/: it holds no images; /),
    expect.stringMatching(/^error: s3:\/\/bucket\/none: there is no such file or folder/),
    expect.stringMatching(/^error: http:\/\/[^ ]*\/none\.png: there is no such file; /),
    expect.stringMatching(/^error: s3:\/\/nobucket\/a\/: there is no bucket nobucket; /),
    expect.stringMatching(/^error: ftp:\/\/host\/a\.png: this kind of address is not known; /),
    expect.stringMatching(/^error: predict: 7 of 7/),
    expect.stringMatching(/^fix: /),
  ]);
});

it("takes folders whose names have characters of patterns, with and without a slash", async () => {
  for (const folder of ["photos (1)", "[set]", "v{1}", "a+(b)!"]) {
    await bucket.write(`odd/${folder}/a.png`, { file: at("in", "a.png") });
    const wanted = [`s3://bucket/odd/${folder}/a.png`];
    for (const name of [folder, `${folder}/`, `${folder}/a.png`, `${folder.replace(/[()[\]{}!]/g, "\\$&")}/*.png`]) {
      const inputs = await expandInputs([`s3://bucket/odd/${name}`]);
      expect(
        inputs.map((input) => input.name),
        name,
      ).toEqual(wanted);
    }
  }
  const [none] = await expandInputs(["s3://bucket/odd/none (1)/*.png"]);
  await expect(none?.load()).rejects.toMatchObject({ fix: expect.stringContaining('put "\\" before') });
});

it("leaves objects alone that it did not write, or that were changed since", async () => {
  const out = await openPlace("s3://bucket/mine");
  const args = [at("in", "b.png"), "--weights", at("net.safetensors"), "--save", "labels", "--out", out.address];
  await out.write("b.png", new TextEncoder().encode("made by hand"));
  const refused = await predict(...args);
  expect(refused).toMatchObject({
    code: 1,
    errors: [expect.stringMatching(/s3:\/\/bucket\/mine\/b\.png exists and/), /--o/],
  });
  expect(Buffer.from(await out.read("b.png")).toString()).toBe("made by hand");
  expect((await predict(...args, "--overwrite")).code).toBe(0);
  expect((await predict(...args)).code).toBe(0);
  // Another content of the same length.
  const changed = await out.read("b.png");
  changed[changed.length - 1] = changed.at(-1)! ^ 1;
  await out.write("b.png", changed);
  expect((await predict(...args)).code).toBe(1);
});

it("says in one line where no results can be written", async () => {
  const args = [at("in", "b.png"), "--weights", at("net.safetensors"), "--out"];
  for (const [out, message] of [
    ["s3://nobucket/x", /^error: s3:\/\/nobucket\/x\/\.fcn-predict\.json: there is no bucket nobucket$/],
    ["http://127.0.0.1:1/x", /^error: http:\/\/127\.0\.0\.1:1\/x\/\.fcn-predict\.json: the connection failed/],
    ["ftp://host/x", /^error: ftp:\/\/host\/x: this kind of address is not known/],
    ["s3://", /^error: s3:\/\/: "" is not the name of a bucket/],
  ] as const) {
    const { code, errors } = await predict(...args, out);
    expect([code === 0, errors]).toEqual([false, [expect.stringMatching(message), expect.stringMatching(/^fix: ./)]]);
  }
});

it("leaves nothing of a result on this machine or elsewhere when it is interrupted", async () => {
  await writeFile(
    at("large.png"),
    await sharp(makeImage(600, 900, 8).data, { raw: { height: 600, width: 900, channels: 3 } })
      .png()
      .toBuffer(),
  );
  const flags = ["--save", "probabilities", "--tile", "32", "--overlap", "0", "--out", "s3://bucket/cut"];
  const args = [FCN, "predict", at("large.png"), "--weights", at("net.safetensors"), ...flags];
  const child = spawn(process.execPath, args, { env: { ...process.env, ...s3.env, TMPDIR: scratch } });
  const ended = once(child, "close");
  const half = async (): Promise<boolean> =>
    (await readdir(scratch, { recursive: true }).catch(() => [])).some((name) => /\.npy\..*\.tmp$/.test(name));
  while (!(await half()) && child.exitCode === null) await sleep(5);
  child.kill("SIGINT");
  expect(await ended).toEqual([null, "SIGINT"]);
  expect(await readdir(scratch)).toEqual([]);
  expect(Object.keys(await filesIn(await openPlace("s3://bucket/cut")))).toEqual([MANIFEST]);
});
