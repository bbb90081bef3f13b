import { createRequire } from "node:module";
import { join } from "node:path";
import { data } from "@fcn/core";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { findLookalikes, fingerprintOf } from "../../../../packages/fcn/src/data/workers/fingerprint.js";

const SIDE = 192;

const drawn = (side: number, colour: (x: number, y: number) => readonly number[]): Sharp => {
  const pixels = new Uint8ClampedArray(3 * side * side);
  for (let i = 0; i < side * side; i++) pixels.set(colour(i % side, Math.floor(i / side)), 3 * i);
  return sharp(pixels, { raw: { width: side, height: side, channels: 3 } });
};

/** Noise of all scales, of an amplitude that falls with the scale as it does in photographs. */
function clouds(random: () => number, side: number): (x: number, y: number) => number {
  const octaves = [2, 4, 8, 16, 32, 64].map((cells, i) => {
    const grid = Array.from({ length: (cells + 2) ** 2 }, () => (random() - 0.5) * 0.6 ** i);
    return { cells, grid };
  });
  const ease = (t: number): number => t * t * (3 - 2 * t);
  return (x, y) => {
    let sum = 0;
    for (const { cells, grid } of octaves) {
      const [u, v] = [(x / side) * cells, (y / side) * cells];
      const [left, top] = [Math.floor(u), Math.floor(v)];
      const [a, b] = [ease(u - left), ease(v - top)];
      const at = (dx: number, dy: number): number => grid[(top + dy) * (cells + 2) + left + dx] as number;
      sum += (at(0, 0) * (1 - a) + at(1, 0) * a) * (1 - b) + (at(0, 1) * (1 - a) + at(1, 1) * a) * b;
    }
    return sum;
  };
}

/**
 * An image with the statistics of a photograph: coloured clouds, and things in front of them that take on their
 * texture.
 */
function scene(seed: number, side = SIDE): Sharp {
  const random = data.createRandom(1000 + seed);
  const [light, red, blue] = [clouds(random, side), clouds(random, side), clouds(random, side)];
  const things = Array.from({ length: 6 }, () => ({
    ...{ x: random() * side, y: random() * side, radius: side * (0.04 + 0.15 * random()) },
    tint: [random() * 200 - 100, random() * 200 - 100, random() * 200 - 100],
  }));
  return drawn(side, (x, y) => {
    const base = 128 + 120 * light(x, y);
    const colour = [base + 60 * red(x, y), base, base + 60 * blue(x, y)];
    const over = things.filter((thing) => Math.hypot(x - thing.x, y - thing.y) < thing.radius);
    return colour.map((value, c) => over.reduce((sum, { tint }) => sum + (tint[c] as number), value));
  });
}

const GROUNDS: Readonly<Record<string, (x: number, y: number, random: () => number) => number>> = {
  plain: () => 100,
  "with a gradient": (x, y) => 60 + 0.5 * x + 0.3 * y,
  noisy: (_, __, random) => 100 + 40 * (random() - 0.5),
  striped: (x, y) => 60 + ((x * 3 + y * 5) % 120),
};

/** One or two discs and boxes on a ground. */
function made(seed: number, ground: keyof typeof GROUNDS): Sharp {
  const random = data.createRandom(50 + seed);
  const things = Array.from({ length: 1 + Math.floor(random() * 2) }, () => ({
    ...{ x: random() * 128, y: random() * 128, radius: 8 + 18 * random(), isBox: random() < 0.5 },
    colour: [255 * random(), 255 * random(), 255 * random()],
  }));
  return drawn(128, (x, y) => {
    const level = GROUNDS[ground]?.(x, y, random) ?? 0;
    const over = things.filter((thing) => {
      const [dx, dy] = [Math.abs(x - thing.x), Math.abs(y - thing.y)];
      return (thing.isBox ? Math.max(dx, dy) : Math.hypot(dx, dy)) < thing.radius;
    });
    return over.at(-1)?.colour ?? [level, level, level];
  });
}

/** Windows of a photograph of the earth, side by side. */
async function earth(): Promise<Uint8Array[]> {
  const entry = createRequire(import.meta.url).resolve("three-globe");
  const file = join(entry, "..", "..", "example", "img", "earth-blue-marble.jpg");
  const { width, height } = await sharp(file).metadata();
  const size = { width: 256, height: 256 };
  const places = Array.from({ length: 24 }, (_, i) => [256 * (i % 8), 256 * Math.floor(i / 8)] as const);
  return Promise.all(
    places
      .filter(([left, top]) => left + 256 <= width && top + 256 <= height)
      .map(async ([left, top]) =>
        sharp(file)
          .extract({ left, top, ...size })
          .png()
          .toBuffer(),
      ),
  );
}

const thumbnail = async (bytes: Uint8Array): Promise<number[]> =>
  fingerprintOf((await data.decodeImage("a", bytes)).image);

/** How an image is written again: with another size, compression and a border of up to 2 % cut off. */
async function copies(bytes: Uint8Array, random: () => number): Promise<Uint8Array[]> {
  const { width, height } = await sharp(bytes).metadata();
  const jpeg = (image: Sharp, quality: number): Promise<Uint8Array> => image.jpeg({ quality }).toBuffer();
  const scaled = (by: number): Sharp => sharp(bytes).resize(Math.round(width * by), Math.round(height * by));
  const cut = Math.round(0.02 * width);
  const cropped = (): Sharp => {
    const [left, top] = [Math.floor(random() * (cut + 1)), Math.floor(random() * (cut + 1))];
    return sharp(bytes).extract({ left, top, width: width - cut, height: height - cut });
  };
  return Promise.all([
    ...[30, 50, 75, 95].map((quality) => jpeg(sharp(bytes), quality)),
    ...[0.5, 0.75, 1.25, 1.5].map((by) => jpeg(scaled(by), 60)),
    ...[30, 60, 95].map((quality) => jpeg(cropped(), quality)),
  ]);
}

describe("findLookalikes", () => {
  it("misses few copies of photographs, and takes no other image for one", async () => {
    const random = data.createRandom(7);
    const photographs = [
      ...(await Promise.all(Array.from({ length: 16 }, (_, seed) => scene(seed).png().toBuffer()))),
      ...(await earth()),
    ];
    const originals = await Promise.all(photographs.map(thumbnail));
    // Open sea has nothing to be told by.
    const isJudged = originals.map((own) => findLookalikes([own], [own]).length > 0);
    let [misses, pairs, wrong, others] = [0, 0, 0, 0];
    for (const [i, bytes] of photographs.entries()) {
      if (!isJudged[i]) continue;
      for (const copy of await Promise.all((await copies(bytes, random)).map(thumbnail))) {
        pairs++;
        if (findLookalikes([originals[i] as number[]], [copy]).length === 0) misses++;
        for (const [j, other] of originals.entries()) {
          if (j === i) continue;
          others++;
          wrong += findLookalikes([other], [copy]).length;
        }
      }
    }
    const judged = isJudged.filter(Boolean).length;
    console.log(`judged ${judged} of ${photographs.length} photographs; missed ${misses} of ${pairs} copies`);
    console.log(`false alarms: ${wrong} of ${others} pairs of different photographs`);
    expect(judged).toBeGreaterThanOrEqual(24);
    expect(misses / pairs).toBeLessThan(0.02);
    expect(wrong).toBe(0);
  });

  it("takes no window of a scene for the next one", async () => {
    let [wrong, pairs] = [0, 0];
    for (let seed = 100; seed < 108; seed++) {
      const whole = await scene(seed, 2 * SIDE)
        .png()
        .toBuffer();
      const window = (left: number, top: number): Promise<Uint8Array> =>
        sharp(whole).extract({ left, top, width: SIDE, height: SIDE }).png().toBuffer();
      const first = await thumbnail(await window(0, 0));
      for (const [left, top] of [
        [24, 0],
        [0, 32],
        [48, 24],
        [96, 0],
      ] as const) {
        pairs++;
        wrong += findLookalikes([first], [await thumbnail(await window(left, top))]).length;
      }
    }
    console.log(`false alarms: ${wrong} of ${pairs} pairs of windows that overlap`);
    expect(wrong).toBe(0);
  });

  it.each(Object.keys(GROUNDS))("takes no image of things on a ground that is %s for another", async (ground) => {
    const seeds = Array.from({ length: 24 }, (_, seed) => seed);
    const thumbnails = await Promise.all(
      seeds.map(async (seed) => thumbnail(await made(seed, ground).png().toBuffer())),
    );
    const alarms = thumbnails.flatMap((own, i) => findLookalikes(thumbnails.slice(i + 1), [own]));
    console.log(`false alarms: ${alarms.length} of ${(24 * 23) / 2} pairs on a ground that is ${ground}`);
    expect(alarms).toEqual([]);
  });

  it("tells an orange disc and a blue box from a box of another size and colour", async () => {
    const ground = [120, 130, 125];
    const disc = drawn(64, (x, y) => (Math.hypot(x - 24, y - 32) < 14 ? [240, 140, 20] : ground));
    const box = (size: number, colour: readonly number[], dx = 0): Sharp =>
      drawn(64, (x, y) => (Math.max(Math.abs(x - 32 - dx), Math.abs(y - 32)) < size ? colour : ground));
    const against = await thumbnail(await box(12, [30, 60, 200]).png().toBuffer());
    const images = [disc, box(14, [20, 60, 220]), box(12, [200, 40, 40]), box(12, [30, 60, 200], 2)];
    const thumbnails = await Promise.all(images.map(async (image) => thumbnail(await image.png().toBuffer())));
    expect(findLookalikes([against], thumbnails)).toEqual([]);
  });
});
