import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { decode, encode } from "fast-png";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PredictSummary } from "../../../../packages/fcn/src/prediction/files/run.js";
import { fcn as command } from "../../../support/commandLine.js";
import { makeImage } from "../../prediction/nets.js";

const FCN = fileURLToPath(new URL("../../../../packages/fcn/bin/fcn.js", import.meta.url));
const CLASSES = ["background", "cat", "dog"];
const PALETTE = [
  [0, 0, 0],
  [200, 30, 30],
  [30, 200, 30],
] as const;
const PREPROCESSING: fcn.data.Preprocessing = { channelOrder: "rgb", mean: [3, 3, 3], std: [2, 2, 2] };

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  /** Standard error without what the driver writes. */
  readonly err: string;
}

const withoutDriver = (text: string): string =>
  text
    .split("\n")
    .filter((line) => !/^Warning: |running on the software adapter/.test(line))
    .join("\n");

async function run(args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await command(args);
  return { code, out: stdout, err: withoutDriver(stderr) };
}

/** Runs a command in a program of its own, whose standard input is `input`. */
function pipe(args: string[], input: Uint8Array): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [FCN, ...args]);
    let [out, err] = ["", ""];
    child.stdout.on("data", (chunk) => (out += chunk));
    child.stderr.on("data", (chunk) => (err += chunk));
    child.stdin.end(input);
    child.on("close", (code) => resolve({ code, out, err: withoutDriver(err) }));
  });
}

let device: Device;
let folder: string;
let weights: string;
let loaded: fcn.LoadedModel;
const at = (...parts: string[]): string => join(folder, ...parts);

const png = ({ data, height, width }: ReturnType<typeof makeImage>): Promise<Buffer> =>
  sharp(data, { raw: { height, width, channels: 3 } })
    .png()
    .toBuffer();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-cli-"));
  device = await createDevice({ quiet: true });
  weights = at("weights.safetensors");
  const options = { numClasses: 3, seed: 4, widthMultiplier: 0.25 };
  using net = fcn.models.create("fcn8s-small", device, options);
  for (const [name, parameter] of net.namedParameters()) {
    if (name.startsWith("score")) parameter.assign(device.randn(parameter.shape, { seed: 5 }));
  }
  const metadata = { model: "fcn8s-small", options, classes: CLASSES, palette: PALETTE, preprocessing: PREPROCESSING };
  await fcn.saveModel(weights, net, metadata);
  loaded = await fcn.loadModel(weights, device);
  await mkdir(at("in", "deep"), { recursive: true });
  await writeFile(at("in", "a.png"), await png(makeImage(40, 56, 1)));
  await writeFile(
    at("in", "a.webp"),
    await sharp(await png(makeImage(40, 56, 2)))
      .webp({ lossless: true })
      .toBuffer(),
  );
  await writeFile(at("in", "b.png"), await png(makeImage(33, 70, 3)));
  await writeFile(at("in", "deep", "a.png"), await png(makeImage(40, 56, 4)));
  await writeFile(at("in", "empty.jpg"), "");
  await writeFile(at("in", "text.jpg"), "no image");
});
afterAll(async () => {
  loaded?.model.dispose();
  device?.destroy();
  await rm(folder, { recursive: true, force: true });
});

describe("fcn predict", () => {
  it("writes every kind of result of every good image, names the broken ones, and exits with 1", async () => {
    const out = at("out");
    const save = "labels,overlay,probabilities,polygons,summary";
    const {
      code,
      out: lines,
      err,
    } = await run(["predict", at("in"), "--weights", weights, "--out", out, "--save", save]);
    expect(code).toBe(1);
    const errors = err.trim().split("\n");
    expect(errors).toHaveLength(4);
    expect(errors.slice(0, 2)).toEqual([
      expect.stringMatching(/^error: .*in\/empty\.jpg: it is empty .*; .+/),
      expect.stringMatching(/^error: .*in\/text\.jpg: it is no image .*; .+/),
    ]);
    expect(errors[2]).toBe("error: predict: 2 of 6 images could not be predicted");
    expect(lines.trim().split("\n")).toHaveLength(5);
    expect(lines).toMatch(
      /a\.png, 40x56 \(height x width\): \w+ [\d.]+ %.* -> .*out\/a\.png, .*out\/a\.overlay\.png, /,
    );

    const stems = { a: "a.png", "a-2": "a.webp", b: "b.png", "deep/a": "deep/a.png" };
    expect(await readFile(join(out, ".fcn-predict.json"), "utf8")).toContain("deep/a.npy");
    const suffixes = [".geojson", ".json", ".npy", ".overlay.png", ".png"];
    const files = (await readdir(out, { recursive: true })).filter((name) => name !== "deep" && !name.startsWith("."));
    expect(files.sort()).toEqual(
      Object.keys(stems)
        .flatMap((stem) => suffixes.map((suffix) => stem + suffix))
        .sort(),
    );
    for (const [stem, source] of Object.entries(stems)) {
      const wanted = await fcn.predict(loaded, at("in", source), { probabilities: true, overlay: true });
      const { height, width } = wanted;
      const map = decode(await readFile(join(out, `${stem}.png`)));
      expect(map).toMatchObject({ height, width, palette: PALETTE });
      expect(new Uint8Array(map.data)).toEqual(wanted.labels);
      expect(await io.readNpy(join(out, `${stem}.npy`))).toEqual(wanted.probabilities);
      const overlay = await sharp(join(out, `${stem}.overlay.png`))
        .extract({ left: 0, top: 0, width, height })
        .ensureAlpha()
        .raw()
        .toBuffer();
      expect(new Uint8Array(overlay)).toEqual(new Uint8Array(wanted.overlay?.buffer ?? new ArrayBuffer(0)));
      const summary = JSON.parse(await readFile(join(out, `${stem}.json`), "utf8"));
      const shares = summary.classes.map(({ class: name, pixels }: { class: string; pixels: number }) => [
        name,
        pixels,
      ]);
      const counts = CLASSES.map((name, label) => [name, wanted.labels.filter((l) => l === label).length] as const);
      expect(shares).toEqual(counts.filter(([, pixels]) => pixels > 0));
      const polygons = JSON.parse(await readFile(join(out, `${stem}.geojson`), "utf8"));
      expect(polygons).toEqual(fcn.toGeoJson(fcn.tracePolygons(wanted), CLASSES));
    }
  });

  it("warns of tiles for a net that looks at the whole image", async () => {
    using net = fcn.models.create("lraspp_mobilenet_v3_large", device, { numClasses: 3, widthMultiplier: 1 / 16 });
    await fcn.saveModel(at("global.safetensors"), net);
    const args = [
      "predict",
      at("in", "b.png"),
      "--weights",
      at("global.safetensors"),
      "--overwrite",
      "--out",
      at("cut"),
    ];
    const cut = await run([...args, "--tile", "32x32", "--json"]);
    expect(cut.code).toBe(0);
    expect(cut.err).toMatch(
      /^warning: .*global\.safetensors: every pixel's scores .* \(leave --tile out and raise --mem/m,
    );
    const { remarks } = JSON.parse(cut.out) as PredictSummary;
    expect(remarks).toMatchObject([{ code: "tiles-of-whole", file: at("global.safetensors") }]);
    expect((await run([...args, "--mirror"])).err).not.toContain("warning");
  });

  it("takes standard input and patterns, tiles and views, and prints JSON for machines", async () => {
    const raw = makeImage(48, 80, 6);
    const rgba = new Uint8Array(48 * 80 * 4).map((_, i) => (i % 4 === 3 ? 9 : raw.data[(i >> 2) * 3 + (i % 4)]!));
    const views = ["--scales", "1,1.5", "--mirror", "--precision", "float16"];
    const flags = ["--tile", "32x64", "--overlap", "0", ...views, "--raw", "48x80"];
    const args = ["predict", "-", at("in", "b.p*"), "--weights", weights, "--out", at("json"), ...flags, "--json"];
    const { code, out, err } = await pipe(args, rgba);
    expect(code).toBe(0);
    const summary = JSON.parse(out) as PredictSummary;
    expect(summary).toMatchObject({ model: "fcn8s-small", failed: 0 });
    expect(summary.images.map(({ input }) => input)).toEqual(["standard input", at("in", "b.png")]);
    expect(err.trim().split("\n")).toHaveLength(2);
    const halves = { precision: "float16" } as const;
    const options = { tile: [32, 64] as const, overlap: 0, scales: [1, 1.5], mirror: true, ...halves };
    const wanted = await fcn.predict(loaded, raw, options);
    expect(summary.images[0]).toMatchObject({ height: 48, width: 80, tiles: wanted.tiles });
    expect(wanted.tiles).toBe(2 * 2 * 4);
    expect(new Uint8Array(decode(await readFile(at("json", "stdin.png"))).data)).toEqual(wanted.labels);
  });

  it("says how to name the files of a list that comes by standard input", async () => {
    const list = new TextEncoder().encode(`${at("in", "a.png")}\n${at("in", "b.png")}\n`);
    const { code, err } = await pipe(["predict", "-", "--weights", weights, "--out", at("list")], list);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: standard input: it is no image .*xargs fcn predict/);
  });

  it("never writes over its inputs", async () => {
    const bytes = await readFile(at("in", "b.png"));
    await mkdir(at("same"));
    await writeFile(at("same", "b.png"), bytes);
    const settings = ["--weights", weights, "--save", "labels", "--json"];
    await symlink(at("same"), at("link"));
    // The folder, the folder by another name, a pattern, and what a shell makes of one.
    for (const [input, out] of [
      [[at("same")], at("same")],
      [[at("same")], at("link")],
      [[at("same", "*.png")], at("same")],
      [[at("same", "b-2.png"), at("same", "b.png")], at("link")],
    ] as const) {
      const { code, out: json, err } = await run(["predict", ...input, "--out", out, ...settings]);
      expect([code, (JSON.parse(json) as PredictSummary).images.length]).toEqual([0, 1]);
      expect(err.includes("warning: left out 1 of the files named")).toBe(input.length === 2);
      expect(await readFile(at("same", "b.png"))).toEqual(bytes);
      expect((await readdir(at("same"))).sort()).toEqual([".fcn-predict.json", "b-2.png", "b.png"]);
    }
  });

  it("leaves files alone that it did not write, unless it is told to", async () => {
    await mkdir(at("mine", "c.png"), { recursive: true });
    await writeFile(at("mine", "b.png"), "a mask made by hand");
    const base = ["predict", at("in", "b.png"), "--weights", weights, "--out", at("mine"), "--save", "labels"];
    const refused = await run(base);
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^error: predict: .*mine\/b\.png exists and/),
    });
    expect(await readFile(at("mine", "b.png"), "utf8")).toBe("a mask made by hand");
    expect((await readdir(at("mine"))).sort()).toEqual(["b.png", "c.png"]);
    expect((await run([...base, "--overwrite"])).code).toBe(0);
    expect((await run(base)).code).toBe(0);
    await copyFile(at("in", "b.png"), at("c.png"));
    const blocked = await run(["predict", at("c.png"), ...base.slice(2), "--overwrite"]);
    // An error about something else than the image still names the image.
    expect(blocked.err).toMatch(/^error: .*\/c\.png: cannot write .*mine\/c\.png/);
  });

  it("goes on to its end, and in silence, when nobody reads what it prints", async () => {
    const out = at("unread");
    for (const seed of [0, 1, 2, 3]) await copyFile(at("in", "b.png"), at(`unread${seed}.png`));
    const piped = (args: string) => `"${process.execPath}" "${FCN}" ${args} | head -n 1; echo "\${PIPESTATUS[0]}" >&2`;
    const shell = (args: string) => spawnSync("bash", ["-c", piped(args)], { encoding: "utf8", cwd: folder });
    const predicted = shell(`predict "unread*.png" --weights "${weights}" --out "${out}" --save labels`);
    expect(predicted.stdout).toMatch(/^unread0\.png, .*\n$/);
    expect(withoutDriver(predicted.stderr)).toBe("0\n");
    expect((await readdir(out)).filter((name) => name.endsWith(".png"))).toHaveLength(4);
    for (const args of ["--help", "predict --help", "doctor --json"]) {
      const { stderr } = spawnSync("bash", ["-c", piped(args).replace("head -n 1", "true")], { encoding: "utf8" });
      expect([args, withoutDriver(stderr)]).toEqual([args, "0\n"]);
    }
  });

  describe("ended while it writes", () => {
    let flags: string[];
    beforeAll(async () => {
      await mkdir(at("wide", "deep"), { recursive: true });
      await writeFile(at("wide", "deep", "large.png"), await png(makeImage(600, 900, 8)));
      flags = [
        "predict",
        at("wide"),
        "--weights",
        weights,
        "--save",
        "probabilities",
        "--tile",
        "32",
        "--overlap",
        "0",
      ];
    });
    const half = async (out: string): Promise<string[]> =>
      (await readdir(join(out, "deep")).catch(() => [])).filter((name) => /^large\.npy\..*\.tmp$/.test(name));
    const endBy = async (signal: NodeJS.Signals, out: string): Promise<void> => {
      const child = spawn(process.execPath, [FCN, ...flags, "--out", out]);
      const ended = once(child, "close");
      while ((await half(out)).length === 0 && child.exitCode === null) await sleep(5);
      child.kill(signal);
      expect(await ended).toEqual([null, signal]);
    };

    it("leaves nothing half written after when it is interrupted", async () => {
      const out = at("interrupted");
      await endBy("SIGINT", out);
      expect((await readdir(out, { recursive: true })).sort()).toEqual([".fcn-predict.json", "deep"]);
    });

    it("leaves to its next run what is half written when it is killed", async () => {
      const out = at("killed");
      await endBy("SIGKILL", out);
      const [left = ""] = await half(out);
      const own = await io.temporaryName("user");
      const others = ["user.tmp", own, left.replace(/\.[0-9a-f]{8}-/, ".00000000-")];
      for (const name of others) await writeFile(join(out, "deep", name), "x");
      const next = await run(["predict", at("in", "b.png"), "--weights", weights, "--out", out, "--save", "labels"]);
      expect(next.code).toBe(0);
      expect((await readdir(join(out, "deep"))).sort()).toEqual(others.sort());
    });
  });

  it("fails with one clear line where nothing can be done", async () => {
    const bare = at("bare.safetensors");
    await io.writeSafetensors(bare, {}, {});
    const base = ["predict", at("in", "b.png")];
    const cases: [string[], number, RegExp][] = [
      [["--weights", bare, "--out", at("no")], 1, /^error: the weights file does not say which net/],
      [["--weights", at("none"), "--out", at("no")], 1, /^error: cannot read .*none/],
      [["--weights", weights, "--out", join(weights, "out")], 1, /error: predict: cannot write .*weights.safetensors/],
      [
        ["--weights", weights, "--out", at("no"), "--tile", "40"],
        2,
        /error: predict: the tile is 40x40 \(height x width\), the net's stride 32/,
      ],
      [["--weights", weights, "--out", weights], 2, /error: --out .* is not a folder/],
      [["--weights", weights, "--out", at("no"), "--tile", "32y"], 2, /error: --tile is "32y"/],
      [["--weights", weights, "--out", at("no"), "--scales", "1,0"], 2, /error: --scales is "1,0"/],
      [["--weights", weights, "--out", at("no"), "--save", "labels,x"], 2, /error: --save is "labels,x"/],
      [["--weights", weights, "--out", at("no"), "--raw", "1x1"], 2, /error: --raw is for standard input/],
      [["--weights", weights, "--out", at("no"), "--alpha", "0.1,0.9"], 2, /error: --alpha is "0.1,0.9"/],
      [["--weights", weights], 2, /error: --out <dir> is missing/],
    ];
    for (const [flags, wanted, message] of cases) {
      const { code, err } = await run([...base, ...flags]);
      expect([flags, code, err]).toEqual([flags, wanted, expect.stringMatching(message)]);
      expect(err.trim().split("\n")).toEqual([expect.stringMatching(/^error: /), expect.stringMatching(/^fix: /)]);
    }
    expect(await run(["predict", "--help"])).toMatchObject({ code: 0, out: expect.stringContaining("--overlap") });
  });
});

describe("fcn eval", () => {
  const samples: fcn.data.SegmentationSample[] = [];
  beforeAll(async () => {
    await mkdir(at("data", "images"), { recursive: true });
    await mkdir(at("data", "masks"));
    await mkdir(at("data", "splits"));
    for (const seed of [1, 2, 3]) {
      const image = makeImage(40, 48, seed);
      const labels = new Uint8Array(40 * 48).map(
        (_, i) => [0, 1, 2, 255][(((i % 48) >> 4) + (i / 48 / 10) * seed) & 3]!,
      );
      if (seed > 1) samples.push({ name: `p${seed}`, image, labels });
      await writeFile(at("data", "images", `p${seed}.png`), await png(image));
      const palette = Array.from({ length: 256 }, (_, i) => [i, 255 - i, 7]);
      const mask = encode({ width: 48, height: 40, channels: 1, depth: 8, data: labels, palette });
      await writeFile(at("data", "masks", `p${seed}.png`), mask);
    }
    await writeFile(at("data", "classes.json"), JSON.stringify(CLASSES));
    await writeFile(at("data", "splits", "train.txt"), "p1\n");
    await writeFile(at("data", "splits", "val.txt"), "p2\np3\n");
  });

  it("prints the scores of evaluate, as JSON and as tables", async () => {
    const base = ["eval", "--data", at("data"), "--weights", weights];
    const json = await run([...base, "--radii", "2,5", "--batch", "2", "--json"]);
    expect([json.code, json.err.includes("error")]).toEqual([0, false]);
    const options = { boundary: { radii: [2, 5] }, sizes: fcn.COCO_SIZES };
    const wanted = await fcn.evaluate(loaded, samples, options);
    const found = JSON.parse(json.out);
    expect(found).toMatchObject(JSON.parse(JSON.stringify(wanted)));
    expect(found).toMatchObject({ split: "val", images: 2, classes: CLASSES, model: "fcn8s-small" });
    const text = await run(base);
    expect(text.code).toBe(0);
    for (const score of [wanted.meanIU, wanted.perClassAccuracy[2]!])
      expect(text.out).toContain((100 * score).toFixed(1));
    expect(text.out).toMatch(/near boundaries.*within 16 px.*size of objects.*small.*left out of the means/s);
  });

  it("says which images of the split it cannot score", async () => {
    await writeFile(at("data", "splits", "val.txt"), "p2\np3\ngone\n");
    const { code, out, err } = await run(["eval", "--data", at("data"), "--weights", weights, "--json"]);
    expect(code).toBe(0);
    expect(err).toMatch(/^problem: .*val\.txt: it names "gone", which has no labelled image here$/m);
    expect(JSON.parse(out)).toMatchObject({ images: 2, remarks: [{ code: "missing-sample", level: "problem" }] });
    await writeFile(at("data", "splits", "val.txt"), "p2\np3\n");
  });

  it("fails with one clear line for other classes, splits and folders", async () => {
    const mixed = await run(["eval", "--data", at("data"), "--weights", weights, "--split", "test"]);
    expect(mixed).toMatchObject({ code: 2, err: expect.stringMatching(/--split is "test"\nfix: use .*train/) });
    const none = await run(["eval", "--data", at("in"), "--weights", weights]);
    expect(none).toMatchObject({ code: 1, err: expect.stringMatching(/^error: .*\nfix: .*\n$/) });
    await writeFile(at("data", "classes.json"), JSON.stringify([...CLASSES, "fish"]));
    const more = await run(["eval", "--data", at("data"), "--weights", weights]);
    expect(more).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has 4 classes \(background, cat, dog, fish\), the net/),
    });
    await writeFile(at("data", "classes.json"), JSON.stringify(["background", "dog", "cat"]));
    const turned = await run(["eval", "--data", at("data"), "--weights", weights]);
    expect(turned.code).toBe(1);
    expect(turned.err).toMatch(/\(background, dog, cat\), the net .*\(background, cat, dog\): the names are the same/);
  });
});
