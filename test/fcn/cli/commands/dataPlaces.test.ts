import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { openPlace } from "../../../../packages/fcn/src/places/open.js";
import { fcn as command } from "../../../support/deviceCommandLine.js";
import { copyFolder, setEnv, useServers } from "../../../support/places.js";
import { fillWeights } from "../../../support/random-weights.js";
import { temporaryFolder } from "../../data/trees.js";
import { TINY_CLASSES, writeTinyData } from "../../training/tinyData.js";

const root = await temporaryFolder("fcn-data-places");
const at = (...parts: string[]): string => join(root, ...parts);
const servers = useServers();
const DATA = "s3://bucket/photos";
const NET = "s3://bucket/nets/net.safetensors";

beforeAll(async () => {
  setEnv(servers.s3.env);
  await writeTinyData(at("photos"), 8);
  await copyFolder(at("photos"), DATA);
  const device = await createDevice({ quiet: true });
  const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 0.25 });
  fillWeights(net, "of a bucket");
  await fcn.saveModel(at("net.safetensors"), net, { classes: TINY_CLASSES });
  device.destroy();
  for (const place of [`${servers.web.url}`, "s3://bucket/nets"]) {
    await (await openPlace(place)).write("net.safetensors", { file: at("net.safetensors") });
  }
});

/** A command with its first line of standard error that is an error. */
async function run(...args: string[]) {
  const { code, stdout, stderr } = await command(args, { env: servers.s3.env });
  setEnv(servers.s3.env);
  return { code, stdout, errors: stderr.split("\n").filter((line) => /^(error|fix): /.test(line)) };
}

const small = ["--model", "fcn8s-small", "--width", "0.25", "--pretrained", "none", "--seed", "3", "--steps", "4"];
const same = async (folder: string, other: string): Promise<void> => {
  for (const file of ["weights.safetensors", "best.safetensors", "metrics.csv"]) {
    expect((await readFile(at(folder, file))).equals(await readFile(at(other, file))), file).toBe(true);
  }
};

it("fcn eval has the scores of the folder, to the last digit", async () => {
  const results = [];
  for (const [data, weights] of [
    [at("photos"), at("net.safetensors")],
    [DATA, NET],
  ] as const) {
    const flags = ["--split", "train", "--json", "--workers", "2"];
    const { code, stdout, errors } = await run("eval", "--data", data, "--weights", weights, ...flags);
    expect([code, errors]).toEqual([0, []]);
    const { seconds: _s, data: _d, weights: _w, ...scores } = JSON.parse(stdout);
    results.push(scores);
  }
  expect(results[0].images).toBeGreaterThan(4);
  expect(results[1]).toEqual(results[0]);
});

it("fcn train makes the weights of the folder, bit for bit, with threads too, and goes on with either", async () => {
  const train = (data: string, out: string, ...more: string[]) =>
    run("train", "--data", data, "--out", at(out), ...small, ...more);
  expect(await train(at("photos"), "here")).toMatchObject({ code: 0, errors: [] });
  expect(await train(DATA, "there", "--workers", "2")).toMatchObject({ code: 0, errors: [] });
  await same("here", "there");
  const longer = ["--steps", "6", "--resume"];
  expect(await train(DATA, "here", ...longer)).toMatchObject({ code: 0, errors: [] });
  const gone = await train(at("photos"), "there", ...longer);
  expect(gone).toMatchObject({ code: 0, errors: [] });
  expect(gone.stdout).not.toContain("have changed since the checkpoint");
  await same("here", "there");
});

it("fcn train starts from weights in a bucket or on a web server as from a file", async () => {
  const starts = { file: at("net.safetensors"), bucket: NET, web: `${servers.web.url}/net.safetensors` };
  for (const [out, weights] of Object.entries(starts)) {
    const args = ["--data", at("photos"), "--weights", weights, "--out", at(out), "--steps", "2", "--seed", "1"];
    const { code, stdout, errors } = await run("train", ...args);
    expect([code, errors]).toEqual([0, []]);
    expect(stdout).toContain(`${weights}: `);
    expect(JSON.parse(await readFile(at(out, "config.json"), "utf8")).weights).toBe(weights);
    await same(out, "file");
  }
  const again = ["--data", at("photos"), "--out", at("bucket"), "--steps", "3", "--seed", "1", "--resume"];
  await (await openPlace("s3://bucket/nets")).write("other.safetensors", { file: at("file", "weights.safetensors") });
  const other = await run("train", ...again, "--weights", "s3://bucket/nets/other.safetensors");
  expect(other.errors[0]).toMatch(/weights/);
  expect((await run("train", ...again, "--weights", NET)).errors).toEqual([]);
  // A run that goes on needs the file no more.
  await (await openPlace(servers.web.url)).remove("net.safetensors");
  const rest = again.map((arg) => (arg === at("bucket") ? at("web") : arg));
  expect((await run("train", ...rest, "--weights", starts.web)).errors).toEqual([]);
});

it("fcn data check, predict, export and convert take the same addresses", async () => {
  const checked = await run("data", "check", DATA, "--json", "--contact-sheet", at("sheet.png"));
  expect([checked.code, JSON.parse(checked.stdout)]).toMatchObject([0, { root: DATA, layout: "folder", ok: true }]);
  const whole = await run("export", "--weights", NET, "--onnx", at("there.onnx"));
  expect(whole).toMatchObject({ code: 0, errors: [] });
  await run("export", "--weights", at("net.safetensors"), "--onnx", at("here.onnx"));
  expect((await readFile(at("there.onnx"))).equals(await readFile(at("here.onnx")))).toBe(true);
  expect(await run("convert", NET, at("there.npz"))).toMatchObject({ code: 0, errors: [] });
  await run("convert", at("net.safetensors"), at("here.npz"));
  expect((await readFile(at("there.npz"))).equals(await readFile(at("here.npz")))).toBe(true);
  expect((await run("convert", "s3://bucket/nets/model.json", at("tfjs.npz"))).errors[0]).toMatch(
    /model\.json is a model of several files$/,
  );
});

it("fcn.predict and fcn.loadModel take them in code", async () => {
  const device = await createDevice({ quiet: true });
  const loaded = await fcn.loadModel(new URL(NET), device);
  const [here, there] = [
    await fcn.predict(loaded, at("photos/images/1.png")),
    await fcn.predict(loaded, `${DATA}/images/1.png`),
  ];
  expect(there.labels).toEqual(here.labels);
  await expect(fcn.loadModel("s3://bucket/none", device)).rejects.toMatchObject({
    code: "missing-data",
    message: "s3://bucket/none: there is no such file",
  });
  const { splits } = await fcn.data.open(DATA);
  const scored = await fcn.evaluate(loaded, splits.train as fcn.data.SegmentationDataset);
  expect(scored.pixelAccuracy).toBeGreaterThan(0);
  // No image is left out for a server that is away.
  setEnv({ AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" });
  const away = fcn.evaluate(loaded, splits.train as fcn.data.SegmentationDataset, { skipBad: true });
  await expect(away).rejects.toMatchObject({ code: "no-network" });
  await expect(fcn.data.check({ ...(await fcn.data.open(at("photos"))), splits })).rejects.toMatchObject({
    code: "no-network",
  });
  device.destroy();
});

describe.each(["eval", "train", "data check", "sweep"])("fcn %s", (name) => {
  const args: Record<string, string[]> = {
    eval: ["--weights", at("net.safetensors")],
    train: ["--out", at("none"), ...small],
    "data check": [],
    sweep: ["--out", at("none"), ...small, "--lr", "1e-2,1e-3"],
  };

  it.each([
    ["https://example.com/photos", /a web server does not list its files/, /name a folder, or .*s3:\/\//],
    ["s3://nobucket/photos", /there is no bucket nobucket$/, /aws s3 mb/],
    ["s3://bucket/empty", /s3:\/\/bucket\/empty: it does not exist$/, /name a folder/],
  ])("says in one line what is wrong with %s", async (address, problem, remedy) => {
    const data = name === "data check" ? [address] : ["--data", address];
    const { code, errors } = await run(...name.split(" "), ...data, ...(args[name] as string[]));
    expect([code > 0, errors]).toEqual([true, [expect.stringMatching(problem), expect.stringMatching(remedy)]]);
  });
});

it("a run in place of a folder is refused before anything is made", async () => {
  const { code, errors } = await run("train", "--data", DATA, "--out", "s3://bucket/run", ...small);
  expect([code, errors]).toEqual([
    2,
    [expect.stringMatching(/--out s3:\/\/bucket\/run is an address/), expect.stringMatching(/^fix: name a/)],
  ]);
  const device = await createDevice({ quiet: true });
  const options = { data: DATA, out: "s3://bucket/run", device, steps: 1 };
  await expect(fcn.trainRun(options)).rejects.toMatchObject({ code: "invalid-argument" });
  await expect(fcn.trainFolds({ ...options, folds: 2 })).rejects.toMatchObject({ code: "invalid-argument" });
  device.destroy();
});
