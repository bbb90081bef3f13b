import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { encode } from "fast-png";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { assertProperty } from "../../../support/property.js";
import { greyPng, palettePng, rgbPng } from "../trees.js";
import { chunk, pngOf, type RawPng, rawPng } from "./rawPng.js";

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

const decode = async (png: Partial<RawPng>): Promise<data.DecodedPng> =>
  data.decodePng("a.png", rawPng({ width: 1, height: 1, rows: [[0, 7]], ...png }));
const [RGB, PALETTE, GREY_ALPHA] = [2, 3, 4];

describe("the parts of a PNG by the specification", () => {
  it("give back the row that each filter was used on", async () => {
    // Paeth's filter predicts by left, up and corner. Here these are 6, 12, 10 (the left is as near as the corner, and
    // counts first), 12, 6, 10 (what is above is as near as the corner), and 20, 30, 10 (the nearest is above).
    const cases: [number[][], number[]][] = [
      [[[0, 1, 2, 3]], [1, 2, 3]],
      [[[1, 1, 2, 255]], [1, 3, 2]],
      [
        [
          [0, 1, 2, 3],
          [2, 1, 1, 254],
        ],
        [1, 2, 3, 2, 3, 1],
      ],
      [
        [
          [0, 10, 21, 250],
          [3, 1, 1, 1],
        ],
        [10, 21, 250, 6, 14, 133],
      ],
      [
        [
          [0, 10, 12, 0],
          [4, 252, 1, 0],
        ],
        [10, 12, 0, 6, 7, 0],
      ],
      [
        [
          [0, 10, 6, 0],
          [4, 2, 1, 0],
        ],
        [10, 6, 0, 12, 7, 0],
      ],
      [
        [
          [0, 10, 30, 0],
          [4, 10, 1, 0],
        ],
        [10, 30, 0, 20, 31, 0],
      ],
    ];
    for (const [rows, want] of cases) {
      const { samples } = await decode({ width: 3, height: rows.length, rows });
      expect([...samples]).toEqual(want);
    }
  });

  it("reach back a whole pixel, of 6 bytes where it has three colours of 16 bits", async () => {
    const rows = [[1, 0, 1, 0, 2, 0, 3, 0, 1, 0, 1, 1, 0]];
    const { samples } = await decode({ width: 2, depth: 16, type: RGB, rows });
    expect([...samples]).toEqual([1, 2, 3, 2, 3, 259]);
  });

  it("leave out the passes of small interlaced images that hold nothing", async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 9],
      [9, 1],
      [2, 2],
      [4, 5],
      [5, 4],
    ] as const) {
      const values = Uint8Array.from({ length: width * height }, (_, i) => i + 1);
      const file = encode({ width, height, data: values, channels: 1, depth: 8 }, { interlace: "Adam7" });
      expect((await data.decodePng("a.png", file)).samples).toEqual(values);
    }
  });

  it("has a palette only where its samples are indices", async () => {
    const rows = [[0, 1, 0, 2]];
    expect(await decode({ rows, type: RGB, palette: [1, 2, 3] })).not.toHaveProperty("palette");
    expect(await decode({ type: PALETTE, palette: [1, 2, 3] })).toMatchObject({ palette: Uint8Array.of(1, 2, 3) });
    expect(await decode({ rows: [[0, 1, 2]], type: GREY_ALPHA })).toMatchObject({ kind: "grey-alpha", channels: 2 });
  });

  it.each<[string, Partial<RawPng>]>([
    ["a palette that is missing", { type: PALETTE }],
    ["a palette without a colour", { type: PALETTE, palette: [] }],
    ["a palette that ends within a colour", { type: PALETTE, palette: [1, 2, 3, 4] }],
    ["fewer rows than it says", { height: 2 }],
    ["a row that ends early", { width: 2 }],
    ["a filter that is none", { rows: [[5, 7]] }],
    ["a header of 12 bytes", { header: [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0] }],
    ["a header of 14 bytes", { header: [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0] }],
    ["another compression", { compression: 1 }],
    ["another set of filters", { filter: 1 }],
    ["another interlacing", { interlace: 2 }],
    ["no width", { width: 0, rows: [] }],
    ["no height", { height: 0, rows: [] }],
    ["the colour type 1", { type: 1 }],
    ["the colour type 5", { type: 5 }],
    ["the colour type 7", { type: 7 }],
    ["3 bits", { depth: 3 }],
    ["no bits", { depth: 0 }],
    ["32 bits", { depth: 32 }],
    ["RGB of 4 bits", { depth: 4, type: RGB, rows: [[0, 1, 2]] }],
    ["a palette of 16 bits", { depth: 16, type: PALETTE, palette: [1, 2, 3], rows: [[0, 0, 0]] }],
  ])("are refused where there is %s", async (_, png) => {
    await expect(decode(png)).rejects.toMatchObject({ code: "corrupt-file" });
  });

  it.each([
    ["no header", [chunk("IDAT", []), chunk("IEND", [])]],
    ["no image data", [chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]), chunk("IEND", [])]],
  ])("are refused where there is %s", async (_, chunks) => {
    await expect(data.decodePng("a.png", pngOf(...chunks))).rejects.toMatchObject({ code: "corrupt-file" });
  });

  it("may hold 16383x16383 pixels and no more", async () => {
    // The first is small enough, but its rows are missing.
    await expect(decode({ width: 16383, height: 16383 })).rejects.toMatchObject({ code: "corrupt-file" });
    await expect(decode({ width: 16384, height: 16383 })).rejects.toMatchObject({ code: "unsupported-file" });
    await expect(decode({ width: 1, height: 2 ** 30 })).rejects.toMatchObject({ code: "unsupported-file" });
  });
});
