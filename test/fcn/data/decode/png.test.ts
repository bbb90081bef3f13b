import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { encode } from "fast-png";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { assertProperty } from "../../../support/property.js";
import { greyPng, palettePng, rgbPng } from "../trees.js";

const size = fc.record({ height: fc.integer({ min: 1, max: 19 }), width: fc.integer({ min: 1, max: 23 }) });
const noise = (length: number, seed: number, below: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed * 7919, 2654435761) >>> 13) % below);

describe("decodePng", () => {
  it("gives palette indices at every depth, interlaced or not, whose colours are the image's", async () => {
    const cases = fc.record({
      size,
      colours: fc.constantFrom(2, 4, 16, 200),
      progressive: fc.boolean(),
      seed: fc.nat({ max: 999 }),
    });
    const depths = new Set<number>();
    await assertProperty(cases, 60, async ({ size: { height, width }, colours, progressive, seed }) => {
      const indices = noise(height * width, seed, colours);
      const rgb = Uint8Array.from(
        { length: indices.length * 3 },
        (_, i) => ((indices[Math.floor(i / 3)]! + 1) * (i % 3 === 0 ? 83 : i % 3 === 1 ? 57 : 11)) % 256,
      );
      const raw = { raw: { height, width, channels: 3 as const } };
      const file = await sharp(rgb, raw).png({ palette: true, colours, progressive, dither: 0 }).toBuffer();
      const image = await data.decodePng("p.png", new Uint8Array(file));
      depths.add(image.depth);
      expect([image.kind, image.height, image.width, image.channels]).toEqual(["palette", height, width, 1]);
      const shown = Uint8Array.from({ length: rgb.length }, (_, i) => {
        return image.palette?.[image.samples[Math.floor(i / 3)]! * 3 + (i % 3)] as number;
      });
      expect(shown).toEqual(new Uint8Array(await sharp(file).removeAlpha().raw().toBuffer()));
    });
    expect([...depths].sort((a, b) => a - b)).toEqual([1, 2, 4, 8]);
  });

  it("reads every kind that fast-png writes, with all its filters from sharp, and 16 bits", async () => {
    const kinds = fc.constantFrom([1, "grey"], [2, "grey-alpha"], [3, "rgb"], [4, "rgb-alpha"] as const);
    const cases = fc.record({
      size,
      kind: kinds,
      wide: fc.boolean(),
      interlace: fc.constantFrom("null", "Adam7"),
      seed: fc.nat({ max: 999 }),
    });
    await assertProperty(
      cases,
      60,
      async ({ size: { height, width }, kind: [channels, kind], wide, interlace, seed }) => {
        const values = noise(height * width * Number(channels), seed, 256);
        const samples = wide ? Uint16Array.from(values, (v) => v * 256 + 7) : values;
        const image = { height, width, data: samples, channels: Number(channels), depth: wide ? 16 : 8 } as const;
        const options = { interlace: interlace as "null" };
        const read = await data.decodePng("p.png", encode(image, options));
        expect(read).toMatchObject({ height, width, kind, depth: wide ? 16 : 8 });
        expect(read.samples).toEqual(samples);
        if (wide || kind === "grey-alpha") return;
        const raw = { raw: { height, width, channels: Number(channels) as 1 } };
        const filtered = await sharp(values, raw)
          .png({ adaptiveFiltering: true, progressive: interlace === "Adam7" })
          .toBuffer();
        const again = await data.decodePng("q.png", new Uint8Array(filtered));
        const want = new Uint8Array(await sharp(filtered).raw().toBuffer());
        const step = want.length / (height * width) / again.channels;
        expect([...again.samples]).toEqual([...want].filter((_, i) => step === 1 || i % step === 0));
      },
    );
  });

  it("returns damaged files with one error that names the file, or with an image", async () => {
    const originals = [
      greyPng(9, 7, (x, y) => x + y),
      palettePng(
        12,
        5,
        [
          [0, 0, 0],
          [9, 9, 9],
        ],
        (x) => x % 2,
      ),
      rgbPng(6, 6, (x, y) => x * 40 + y),
    ];
    const damage = fc.record({
      which: fc.nat({ max: 2 }),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
      end: fc.option(fc.nat(), { freq: 2 }),
    });
    await assertProperty(damage, 300, async ({ which, edits, end }) => {
      const bytes = (originals[which] as Uint8Array).slice();
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      const cut = end === null ? bytes : bytes.subarray(0, end % bytes.length);
      try {
        await data.decodePng("damaged.png", cut);
      } catch (error) {
        expect(error).toBeInstanceOf(TensorError);
        expect((error as TensorError).message).toMatch(/^damaged\.png: /);
      }
    });
  });

  it("does not unpack more than the header announces", async () => {
    const bytes = greyPng(2000, 2000, () => 0);
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(20, 1);
    const crc = (await import("node:zlib")) as unknown as { crc32?: (data: Uint8Array) => number };
    // Node 20 before 20.15 has no crc32; the checksum error names the file too.
    if (crc.crc32) new DataView(bytes.buffer, bytes.byteOffset).setUint32(29, crc.crc32(bytes.subarray(12, 29)));
    await expect(data.decodePng("bomb.png", bytes)).rejects.toThrow(
      crc.crc32 ? "bomb.png: its image data is cut off or damaged (it unpacks to more than" : "bomb.png: the checksum",
    );
  });
});

describe("decodeMask", () => {
  const rule = data.indexRule(3);
  const labelsOf = async (bytes: Uint8Array, by = rule): Promise<number[]> => [
    ...(await data.decodeMask("m.png", bytes, by)).labels,
  ];

  it("reads indices of a palette, grey values and grey values stored as RGB alike", async () => {
    const fill = (x: number, y: number): number => [0, 1, 2, 255][(x + y) % 4] as number;
    const want = Array.from({ length: 12 }, (_, i) => fill(i % 4, Math.floor(i / 4)));
    const palette = Array.from({ length: 256 }, (_, i) => [i, 255 - i, 3]);
    expect(await labelsOf(greyPng(3, 4, fill))).toEqual(want);
    expect(await labelsOf(palettePng(3, 4, palette, fill))).toEqual(want);
    expect(await labelsOf(rgbPng(3, 4, (x, y) => fill(x, y) * 0x010101))).toEqual(want);
    const wide = encode({ height: 3, width: 4, channels: 1, depth: 16, data: Uint16Array.from(want) });
    expect(await labelsOf(wide)).toEqual(want);
  });

  it("looks colours up in RGB, palette and grey masks", async () => {
    const colours: data.LabelRule = {
      by: "colour",
      labels: [
        [0, 0],
        [0xff0000, 1],
        [0x808080, 2],
        [0xe0e0c0, 255],
      ],
    };
    const keys = [0, 0xff0000, 0x808080, 0xe0e0c0];
    const split = (key: number): number[] => [key >> 16, (key >> 8) & 255, key & 255];
    expect(
      await labelsOf(
        rgbPng(1, 4, (x) => keys[x] as number),
        colours,
      ),
    ).toEqual([0, 1, 2, 255]);
    expect(
      await labelsOf(
        palettePng(1, 4, [...keys].reverse().map(split), (x) => x),
        colours,
      ),
    ).toEqual([255, 2, 1, 0]);
    expect(
      await labelsOf(
        greyPng(1, 2, (x) => x * 128),
        colours,
      ),
    ).toEqual([0, 2]);
  });

  it("lists what the rule does not know: what, how often, where", async () => {
    const plane = await data.decodeMask(
      "m.png",
      greyPng(2, 3, (x, y) => (y === 1 && x > 0 ? 7 : x)),
      rule,
    );
    expect([...plane.labels]).toEqual([0, 1, 2, 0, 255, 255]);
    expect(plane.strays).toEqual([{ key: 7, pixels: 2, x: 1, y: 1 }]);
  });

  it.each([
    [
      "a JPEG image",
      () =>
        sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
          .jpeg()
          .toBuffer(),
      "m.png: a mask must be PNG, but it is a JPEG image, whose compression changes labels",
    ],
    [
      "colours among numbers",
      async () => rgbPng(2, 2, (x) => x * 0x0a0000),
      "m.png: it holds colours (column 1, row 0), but the masks here hold numbers",
    ],
  ])("refuses %s", async (_, make, problem) => {
    await expect(labelsOf(new Uint8Array(await make()))).rejects.toThrow(problem);
  });
});
