import { join } from "node:path";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { vocKeys } from "../../../../packages/fcn/src/data/folder/colours.js";
import { hasSoftEdges } from "../../../../packages/fcn/src/data/workers/softEdges.js";
import { greyPng, photo, rgbPng, temporaryFolder, writeTree } from "../trees.js";

const SIDE = 96;

/** Turned ellipses and boxes, one over another, in the given keys. */
function shapes(seed: number, keys: readonly number[]): number[] {
  const random = data.createRandom(seed);
  const out = new Array<number>(SIDE * SIDE).fill(keys[0] as number);
  for (let i = 0; i < 2 + (seed % 5); i++) {
    const [cx, cy, a, b, turn] = [random() * SIDE, random() * SIDE, 4 + random() * 20, 4 + random() * 20, random() * 3];
    const key = keys[1 + (i % (keys.length - 1))] as number;
    const isBox = random() < 0.4;
    for (let at = 0; at < out.length; at++) {
      const [x, y] = [(at % SIDE) - cx, Math.floor(at / SIDE) - cy];
      const u = (x * Math.cos(turn) + y * Math.sin(turn)) / a;
      const v = (y * Math.cos(turn) - x * Math.sin(turn)) / b;
      if (isBox ? Math.max(Math.abs(u), Math.abs(v)) < 1 : u * u + v * v < 1) out[at] = key;
    }
  }
  return out;
}

/**
 * A map of `classes` labels in `cells` cells, with single pixels of noise and lines one pixel wide, and void between
 * the cells.
 */
function labelMap(
  seed: number,
  cells: number,
  classes: number,
  more: { noise?: number; lines?: number; isVoid?: true },
) {
  const random = data.createRandom(seed);
  const points = Array.from({ length: cells }, () => [
    random() * SIDE,
    random() * SIDE,
    Math.floor(random() * classes),
  ]);
  const out = new Array<number>(SIDE * SIDE).fill(0);
  for (let at = 0; at < out.length; at++) {
    let [first, second, label] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0];
    for (const [x = 0, y = 0, own = 0] of points) {
      const far = Math.hypot((at % SIDE) - x, at / SIDE - y);
      if (far < first) [first, second, label] = [far, first, own];
      else if (far < second) second = far;
    }
    out[at] = more.isVoid && second - first < 2 ? 255 : label;
    if (random() < (more.noise ?? 0)) out[at] = Math.floor(random() * classes);
  }
  for (let i = 0; i < (more.lines ?? 0); i++) {
    const [x, y, dx, dy, label] = [
      random() * SIDE,
      random() * SIDE,
      random() - 0.5,
      random() - 0.5,
      random() * classes,
    ];
    for (let t = 0; t < SIDE; t++) {
      const [column, row] = [Math.floor(x + t * dx), Math.floor(y + t * dy)];
      if (column >= 0 && row >= 0 && column < SIDE && row < SIDE) out[row * SIDE + column] = Math.floor(label);
    }
  }
  return out;
}

const rendered = (keys: readonly number[], isColour: boolean): Sharp => {
  const data = isColour ? keys.flatMap((key) => [key >> 16, (key >> 8) & 255, key & 255]) : keys;
  return sharp(Uint8Array.from(data), { raw: { width: SIDE, height: SIDE, channels: isColour ? 3 : 1 } });
};

const jpeg = async (image: Sharp, quality: number): Promise<Sharp> => sharp(await image.jpeg({ quality }).toBuffer());

const CHANGES: Readonly<Record<string, (image: Sharp) => Sharp | Promise<Sharp>>> = {
  "blurred by 1 pixel": (image) => image.blur(1),
  "blurred by 8 pixels": (image) => image.blur(8),
  "enlarged 1.5 times": (image) => image.resize(144, 144, { kernel: "linear" }),
  "enlarged twice": (image) => image.resize(192, 192, { kernel: "linear" }),
  "enlarged 4 times by cubics": (image) => image.resize(384, 384, { kernel: "cubic" }),
  halved: (image) => image.resize(48, 48),
  turned: (image) => image.rotate(17, { background: "#000" }),
  "JPEG of quality 30": (image) => jpeg(image, 30),
  "JPEG of quality 75": (image) => jpeg(image, 75),
  "JPEG of quality 95": (image) => jpeg(image, 95),
};

const LEVELS = { "black and white": [0, 255], "three levels": [0, 127, 255], "five levels": [0, 50, 100, 150, 200] };
const COLOURS = {
  "red on black": [0, 0xff0000],
  "colours of VOC": vocKeys(5),
  "bright colours": [0x2060c0, 0xf0e020, 0x10d060],
};

async function isSoft(image: Sharp, isColour: boolean): Promise<boolean> {
  const { data: bytes, info } = await image
    .toColourspace(isColour ? "srgb" : "b-w")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const keys = isColour ? Array.from({ length: bytes.length / 3 }, (_, i) => bytes.readUIntBE(3 * i, 3)) : [...bytes];
  return hasSoftEdges(keys, info.height, info.width, isColour);
}

describe("hasSoftEdges", () => {
  it.each(Object.entries(CHANGES))(
    "finds the edges of masks that are %s, in grey and in colours",
    async (_, change) => {
      for (const [isColour, kinds] of [
        [false, LEVELS],
        [true, COLOURS],
      ] as const) {
        for (const [name, keys] of Object.entries(kinds)) {
          for (let seed = 0; seed < 6; seed++) {
            const image = await change(rendered(shapes(seed, keys), isColour));
            expect(await isSoft(image, isColour), `${name}, seed ${seed}`).toBe(true);
          }
        }
      }
    },
  );

  it.each([
    ["150 classes", 200, 150, {}],
    ["182 classes in cells of a few pixels", 1500, 182, {}],
    ["21 classes with void between them", 60, 21, { isVoid: true }],
    ["40 classes and lines of one pixel", 60, 40, { lines: 30 }],
    ["lines of one pixel alone", 2, 6, { lines: 40 }],
    ["single pixels of noise", 30, 150, { noise: 0.05 }],
  ] as const)("takes no map of labels for one: %s", (_, cells, classes, more) => {
    for (let seed = 0; seed < 6; seed++) {
      const labels = labelMap(seed, cells, classes, more);
      expect(hasSoftEdges(labels, SIDE, SIDE, false)).toBe(false);
      const colours = vocKeys(256);
      const painted = labels.map((label) => colours[label] as number);
      expect(hasSoftEdges(painted, SIDE, SIDE, true)).toBe(false);
    }
    const bands = Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE < 3 ? 255 : Math.floor(at / SIDE / 4)));
    expect(hasSoftEdges(bands, SIDE, SIDE, false)).toBe(false);
    const stripes = Array.from({ length: SIDE * SIDE }, (_, at) => 50 * (at % 4));
    expect(hasSoftEdges(stripes, SIDE, SIDE, false)).toBe(false);
    for (const keys of [...Object.values(LEVELS), ...Object.values(COLOURS)]) {
      expect(hasSoftEdges(shapes(3, keys), SIDE, SIDE, (keys.at(-1) ?? 0) > 255)).toBe(false);
    }
  });
});

const root = await temporaryFolder("fcn-soft");

async function folder(name: string, masks: readonly Uint8Array[], classes?: unknown): Promise<string> {
  const files: Record<string, Uint8Array | string> = {};
  for (const [i, mask] of masks.entries()) {
    files[`images/p${i}.png`] = await photo(SIDE, SIDE, i).png().toBuffer();
    files[`masks/p${i}.png`] = mask;
  }
  if (classes !== undefined) files["classes.json"] = JSON.stringify(classes);
  await writeTree(join(root, name), files);
  return join(root, name);
}

const png = async (image: Sharp | Promise<Sharp>): Promise<Uint8Array> => (await image).png().toBuffer();
const hard = (seed: number): Promise<Uint8Array> => png(rendered(shapes(seed, [0, 255]), false).toColourspace("b-w"));
const soft = (seed: number, keys: readonly number[] = [0, 255]): Promise<Uint8Array> =>
  png(rendered(shapes(seed, keys), false).blur(2).toColourspace("b-w"));

describe("a folder of masks without labels", () => {
  it("is refused where masks are soft, with the commands that make them hard", async () => {
    const root = await folder("soft", [await soft(0), await soft(1), await soft(2)]);
    await expect(data.open(root)).rejects.toMatchObject({
      code: "soft-edges",
      message: expect.stringMatching(
        /masks\/p0\.png: it has soft edges: grey levels lie between those of the classes along borders.*; it holds 0 \(\d+ pixels\), 255 \(\d+ pixels\), .*; the same is true of 2 more masks$/,
      ),
      fix: expect.stringMatching(
        /two classes, by mogrify -threshold 50% \S+masks\/\*\.png; if there are more, by magick /,
      ),
    });
    await expect(data.open(await folder("named", [await soft(0)], ["a", "b"]))).rejects.toMatchObject({
      code: "soft-edges",
    });
  });

  it("names the few masks that are soft, and for several levels another command", async () => {
    const few = await folder("few", [await hard(0), await hard(1), await soft(2), await hard(3)]);
    await expect(data.open(few)).rejects.toMatchObject({
      message: expect.stringMatching(/masks\/p2\.png: it has soft edges.* and \d+ more$/),
    });
    const three = await folder("three", [await soft(4, [0, 127, 255])]);
    await expect(data.open(three)).rejects.toMatchObject({
      fix: expect.stringMatching(
        /mogrify -define png:color-type=0 \+dither -remap levels\.png \S+masks\/\*\.png; if these/,
      ),
    });
  });

  it("is never opened by colours that are listed, nor by values", async () => {
    const mask = await soft(1);
    for (const key of ["value", "color"]) {
      const classes = [0, 255].map((level) => ({
        name: `c${level}`,
        [key]: key === "value" ? level : [level, level, level],
      }));
      const { remarks, ok } = await data.check(await folder(`listed ${key}`, [mask, mask], classes));
      expect(ok).toBe(false);
      const text = key === "value" ? /so many levels come from soft edges/ : /soft brushes and lossy saving/;
      expect(remarks.find(({ level }) => level === "problem")?.text).toMatch(text);
    }
  });

  it("is refused where masks are soft in 16 bits, in RGB, and after JPEG", async () => {
    const blurred = await rendered(shapes(1, [0, 255]), false)
      .blur(2)
      .toColourspace("b-w")
      .raw()
      .toBuffer();
    const wide = { height: SIDE, width: SIDE, channels: 1, depth: 16 } as const;
    const deep = encode({ ...wide, data: Uint16Array.from(blurred, (level) => level * 257) });
    const painted = await png(rendered(shapes(1, [0, 0xff0000]), true).blur(2));
    const compressed = await png(jpeg(rendered(shapes(1, [0, 255]), false), 60));
    for (const [name, mask] of Object.entries({ deep, painted, compressed })) {
      await expect(data.open(await folder(name, [mask]))).rejects.toMatchObject({ code: "soft-edges" });
    }
    await expect(data.open(await folder("rgb", [painted], ["ground", "thing"]))).rejects.toMatchObject({
      code: "soft-edges",
      message: expect.stringContaining("mixed colours lie between those of the classes"),
    });
  });

  it("is refused where its shapes are in alpha", async () => {
    const alpha = rendered(shapes(1, [0, 255]), false).toColourspace("b-w");
    const mask = await png(
      sharp({ create: { width: SIDE, height: SIDE, channels: 3, background: "#fff" } }).joinChannel(
        await alpha.raw().toBuffer(),
        { raw: { width: SIDE, height: SIDE, channels: 1 } },
      ),
    );
    await expect(data.open(await folder("alpha", [mask]))).rejects.toMatchObject({
      code: "shapes-in-alpha",
      fix: expect.stringContaining("mogrify -alpha extract"),
    });
  });

  it("is refused where grey levels divide black to white evenly, with the list to paste", async () => {
    const mask = greyPng(SIDE, SIDE, (x) => [0, 128, 255][Math.floor(x / 32)] as number);
    await expect(data.open(await folder("even", [mask]))).rejects.toMatchObject({
      code: "grey-levels",
      message: expect.stringContaining("0 (3072 pixels), 128 (3072 pixels), 255 (3072 pixels)"),
      fix: expect.stringContaining(
        '[{"name": "class 0", "value": 0}, {"name": "class 1", "value": 128}, {"name": "class 2", "value": 255}]',
      ),
    });
    const names = ["sky", "sea", "land"];
    const pasted = names.map((name, i) => ({ name, value: [0, 128, 255][i] }));
    await expect(data.open(await folder("even named", [mask], names))).rejects.toMatchObject({
      fix: expect.stringContaining(JSON.stringify(pasted).replaceAll(":", ": ").replaceAll(",", ", ")),
    });
    const mended = await data.open(await folder("even mended", [mask], pasted));
    expect(mended.classes).toEqual(names);
  });
});

describe("the remedy for soft edges", () => {
  /** Two halves with a border that rises in steps, and a corner at a level beside the first one. */
  const soft = (low: number, high: number, corner = low): Uint8Array =>
    greyPng(40, 40, (x, y) => {
      if (x < 12 && y < 8) return corner;
      if (x < 17) return low;
      return x > 22 ? high : Math.round(low + ((high - low) * (x - 16)) / 7);
    });
  const remedy = async (name: string, png: Uint8Array): Promise<string> => {
    const root = await temporaryFolder(name);
    await writeTree(root, { "images/a.png": await photo(40, 40, 1).png().toBuffer(), "masks/a.png": png });
    return data.open(root).then(
      () => "opened",
      (error: { fix: string }) => error.fix,
    );
  };

  it("takes levels that compression shifted by little for one", async () => {
    expect(await remedy("soft-shifted", soft(0, 255, 1))).toMatch(/mogrify -threshold 50% \S+masks\/\*\.png/);
    expect(await remedy("soft-shifted", soft(3, 250, 6))).toMatch(/mogrify -threshold 49\.6% \S+masks\/\*\.png/);
  });

  it("cuts in the middle of two levels, wherever they lie", async () => {
    expect(await remedy("soft-dark", soft(0, 100))).toMatch(/mogrify -threshold 19\.6% \S+masks\/\*\.png/);
    expect(await remedy("soft-bright", soft(150, 250))).toMatch(/mogrify -threshold 78\.4% \S+masks\/\*\.png/);
  });
});

describe("a mask with small areas alone", () => {
  const RED = 0xff0000;
  const BLUE = 0x0000ff;
  const MIX = 0xff00ff;
  /** Two classes meet in corners of a pixel each, of their mixture. */
  const corners = rgbPng(40, 40, (x, y) => {
    if ((x === 9 && y === 9) || (x === 20 && y === 9)) return x === 9 ? BLUE : RED;
    return x >= 9 && x <= 20 && y >= 9 && y <= 30 ? MIX : 0;
  });
  const plain = rgbPng(40, 40, (x, y) => (y < 10 ? RED : y < 20 ? BLUE : x < 20 ? MIX : 0));
  const made = async (name: string, masks: readonly Uint8Array[], classes?: unknown): Promise<string> => {
    const root = await temporaryFolder(name);
    for (const [i, mask] of masks.entries()) {
      const image = await photo(40, 40, i).png().toBuffer();
      await writeTree(root, { [`images/p${i}.png`]: image, [`masks/p${i}.png`]: mask });
    }
    if (classes) await writeTree(root, { "classes.json": JSON.stringify(classes) });
    return root;
  };

  it("is sound, however it is listed", async () => {
    const colours = ["#000000", "#0000ff", "#ff0000", "#ff00ff"];
    const listed = colours.map((color, i) => ({ name: `c${i}`, color }));
    const { classes, splits } = await data.open(await made("corners-listed", [corners, plain], listed));
    expect([classes, splits.train?.length]).toEqual([["c0", "c1", "c2", "c3"], 1]);
    await expect(data.open(await made("corners-plain", [corners, plain]))).rejects.toMatchObject({
      code: "unknown-colour",
      fix: expect.stringContaining('{"name": "class 3", "color": "#ff00ff"}]'),
    });
  });

  it("is not named where another one is soft", async () => {
    const soft = rgbPng(40, 40, (x) => (x < 15 ? 0 : x > 24 ? RED : Math.round(((x - 14) * 255) / 11) << 16));
    await expect(data.open(await made("one-soft", [plain, soft]))).rejects.toMatchObject({
      code: "soft-edges",
      message: expect.stringMatching(/p1\.png: it has soft edges: mixed colours.*\(\d+ pixels\)$/),
      fix: expect.stringMatching(/and mogrify \+dither -remap levels\.png \S+masks\/\*\.png/),
    });
  });
});
