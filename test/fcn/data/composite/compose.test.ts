import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Placement, paste } from "../../../../packages/fcn/src/data/composite/paste.js";
import { Pyramid } from "../../../../packages/fcn/src/data/composite/raster.js";
import { assertProperty } from "../../../support/property.js";
import { disc, drawnSource, rgba } from "./drawn.js";

const SOURCE = drawnSource(3, 4);

describe("composeSamples", () => {
  it("gives the same samples for a seed, others for another, and fewer as the first of more", async () => {
    await assertProperty(fc.nat({ max: 1e6 }), 10, async (seed) => {
      const options = { size: 32, seed };
      const samples = data.composeSamples(SOURCE, 6, options);
      expect(data.composeSamples(SOURCE, 6, options)).toEqual(samples);
      expect(data.composeSamples(SOURCE, 4, options)).toEqual(samples.slice(0, 4));
      expect(data.composeSamples(SOURCE, 6, { size: 32, seed: seed + 1 })).not.toEqual(samples);
    });
  });

  it("labels exactly the pixels that show the cut-out by more than half", async () => {
    const white = { name: "white", label: 1, image: rgba(40, 30, [255, 255, 255], disc(30, 9)) };
    const black = { name: "black", image: rgba(90, 70, [0, 0, 0]) };
    const source = { classes: ["background", "white"], cutouts: [white], backgrounds: [black] };
    const options = fc.record({
      seed: fc.nat({ max: 1e6 }),
      size: fc.constantFrom(24, 37, 64),
      rotation: fc.constantFrom(0, 45, 180),
      mirror: fc.boolean(),
    });
    await assertProperty(options, 30, async (drawn) => {
      for (const { image, labels } of data.composeSamples(source, 3, { ...drawn, objects: [1, 1] })) {
        // White on black: the grey value is the alpha that the cut-out has there.
        labels.forEach((label, i) => {
          const alpha = image.data[3 * i] as number;
          if (alpha !== 127 && alpha !== 128) expect(label).toBe(alpha > 127 ? 1 : 0);
        });
        expect(labels).toContain(1);
      }
    });
  });

  it("brings up every class equally often, however many cut-outs it has", () => {
    const [first, ...rest] = SOURCE.cutouts;
    const lopsided = { ...SOURCE, cutouts: [first as data.Cutout, ...rest.filter(({ label }) => label > 1)] };
    const samples = data.composeSamples(lopsided, 31, { size: 32, seed: 1, objects: [1, 1] });
    const counts = [0, 0, 0, 0];
    for (const { labels } of samples) counts[Math.max(...labels)]!++;
    expect(counts[0]).toBe(0);
    expect(Math.max(...counts.slice(1)) - Math.min(...counts.slice(1))).toBeLessThanOrEqual(1);
  });

  it("passes the library's own check of samples, with and without a void border", () => {
    const options = { size: 40, seed: 3, objects: [2, 4] as const };
    const plain = data.composeSamples(SOURCE, 8, options);
    const edged = data.composeSamples(SOURCE, 8, { ...options, voidBorder: 1.5 });
    plain.forEach((sample, i) => {
      data.checkSample("test", sample, SOURCE.classes.length);
      expect(edged[i]?.image).toEqual(sample.image);
      const want = data.voidEdges(sample.labels, { height: 40, width: 40, radius: 1.5 });
      expect(edged[i]?.labels).toEqual(want);
      expect(want).toContain(data.VOID_LABEL);
    });
  });

  it("keeps the background's own colours up to its border", () => {
    const flat = { ...SOURCE, backgrounds: [{ name: "flat", image: rgba(33, 47, [200, 100, 50]) }] };
    for (const { image, labels } of data.composeSamples(flat, 4, { size: 64, seed: 5, objects: [0, 0] })) {
      expect(new Set(labels)).toEqual(new Set([0]));
      expect(image.data).toEqual(rgba(64, 64, [200, 100, 50]).data.filter((_, i) => i % 4 < 3));
    }
  });

  it.each<[string, Partial<data.CompositeSource>, Partial<data.CompositeOptions>, string]>([
    ["no cut-outs", { cutouts: [] }, {}, "0 cut-outs and 4 backgrounds"],
    ["no backgrounds", { backgrounds: [] }, {}, "12 cut-outs and 0 backgrounds"],
    ["a label without a class", { classes: ["background", "one"] }, {}, "has the label 2, but there are 2 classes"],
    ["a label of the background", { cutouts: [{ ...SOURCE.cutouts[0]!, label: 0 }] }, {}, "has the label 0"],
    [
      "too few pixels",
      { backgrounds: [{ name: "b", image: { data: new Uint8Array(3), height: 1, width: 1 } }] },
      {},
      "b is 1x1 and needs 4",
    ],
    ["a broken size", {}, { size: 0.5 }, "size is 0.5"],
    ["objects upside down", {}, { objects: [3, 1] }, "objects is [3,1]"],
    ["a scale of 0", {}, { scale: [0, 1] }, "scale is [0,1]"],
    ["a scale without end", {}, { scale: [1, Number.POSITIVE_INFINITY] }, "scale is [1,Infinity]"],
    ["too wide a turn", {}, { rotation: 181 }, "rotation is 181"],
    ["a threshold that nothing passes", {}, { alphaThreshold: 255 }, "alphaThreshold is 255"],
    ["a negative border", {}, { voidBorder: -1 }, "voidBorder is -1"],
  ])("refuses %s", (_, source, options, problem) => {
    const compose = () => data.composeSamples({ ...SOURCE, ...source }, 1, { size: 16, seed: 1, ...options });
    expect(compose).toThrowError(TensorError);
    expect(compose).toThrowError(problem);
  });
});

describe("paste", () => {
  const image = rgba(9, 7, [80, 160, 240], (x, y) => (x * 41 + y * 67) % 256);
  const pasted = { image, pyramid: new Pyramid(image), label: 5 };
  const canvasOf = (width: number, height: number) => ({
    width,
    height,
    rgb: new Float32Array(width * height * 3).fill(100),
    labels: new Uint8Array(width * height),
  });
  const still: Placement = { x: 4.5, y: 3.5, scale: 1, angle: 0, mirror: false };
  const alphaAt = (x: number, y: number): number => image.data[(y * 9 + x) * 4 + 3] as number;

  it("copies alpha, colours and mask bit for bit where nothing is turned or scaled", () => {
    const canvas = canvasOf(9, 7);
    paste(canvas, pasted, still, 127);
    for (let i = 0; i < 63; i++) {
      const alpha = alphaAt(i % 9, Math.floor(i / 9));
      expect(canvas.labels[i]).toBe(alpha > 127 ? 5 : 0);
      expect(canvas.rgb[3 * i]).toBeCloseTo((80 * alpha + 100 * (255 - alpha)) / 255, 3);
    }
  });

  it.each<[string, Partial<Placement>, [number, number], (x: number, y: number) => [number, number]]>([
    ["moved and cut off at the border", { x: 2.5, y: 5.5 }, [9, 7], (x, y) => [x + 2, y - 2]],
    ["mirrored", { mirror: true }, [9, 7], (x, y) => [8 - x, y]],
    ["upside down", { angle: Math.PI }, [9, 7], (x, y) => [8 - x, 6 - y]],
    ["a quarter turn clockwise", { x: 3.5, y: 4.5, angle: Math.PI / 2 }, [7, 9], (x, y) => [y, 6 - x]],
  ])("puts a cut-out %s where it belongs", (_, change, [width, height], source) => {
    const canvas = canvasOf(width, height);
    paste(canvas, pasted, { ...still, ...change }, 127);
    for (let i = 0; i < width * height; i++) {
      const [x, y] = source(i % width, Math.floor(i / width));
      const outside = x < 0 || y < 0 || x >= 9 || y >= 7;
      expect(canvas.labels[i]).toBe(!outside && alphaAt(x, y) > 127 ? 5 : 0);
    }
  });

  it("averages where it makes smaller: a chequered alpha at a quarter is half everywhere", () => {
    const chequered = rgba(64, 64, [255, 255, 255], (x, y) => 255 * ((x + y) % 2));
    const canvas = canvasOf(16, 16);
    paste(
      canvas,
      { image: chequered, pyramid: new Pyramid(chequered), label: 1 },
      { ...still, x: 8, y: 8, scale: 0.25 },
      127,
    );
    for (let y = 1; y < 15; y++)
      for (let x = 1; x < 15; x++) expect(canvas.rgb[(y * 16 + x) * 3]).toBeCloseTo(177.5, 3);
  });
});

describe("splitComposite", () => {
  it("gives two sides without a common cut-out or background, each with every class", async () => {
    const input = fc.record({
      seed: fc.nat({ max: 1e6 }),
      validation: fc.double({ min: 0.05, max: 0.95, noNaN: true }),
    });
    await assertProperty(input, 40, async (options) => {
      const { train, validation } = data.splitComposite(SOURCE, options);
      for (const part of ["cutouts", "backgrounds"] as const) {
        const names = [...train[part], ...validation[part]].map(({ name }) => name);
        expect(names.sort()).toEqual(SOURCE[part].map(({ name }) => name).sort());
      }
      for (const side of [train, validation]) {
        expect(new Set(side.cutouts.map(({ label }) => label))).toEqual(new Set([1, 2, 3]));
        expect(side.backgrounds.length).toBeGreaterThan(0);
      }
      expect(data.splitComposite(SOURCE, options)).toEqual({ train, validation });
    });
  });

  it("keeps the images of the two sides apart, pixel by pixel", () => {
    const { train, validation } = data.splitComposite(drawnSource(2, 6, 0), { validation: 0.4, seed: 2 });
    // Every image is flat and has a colour of its own, which survives where neighbours are equal.
    const colours = (source: data.CompositeSource, seed: number): Set<string> => {
      const samples = data.composeSamples(source, 20, { size: 48, seed });
      const found = samples.flatMap(({ image }) => {
        const pixels = Array.from({ length: 48 * 48 }, (_, i) => image.data.subarray(3 * i, 3 * i + 3).join());
        return pixels.filter((pixel, i) => [1, 2, 48, 96].every((step) => pixel === pixels[i + step]));
      });
      return new Set(found);
    };
    const shown = colours(train, 1);
    expect(shown.size).toBeGreaterThan(8);
    for (const colour of colours(validation, 1)) expect(shown).not.toContain(colour);
  });

  it("refuses a class that is too small for two sides, and a part that is none", () => {
    const single = {
      ...SOURCE,
      cutouts: SOURCE.cutouts.filter(({ label, name }) => label !== 2 || name.endsWith(" 0")),
    };
    const split = (source: data.CompositeSource, validation: number) => () =>
      data.splitComposite(source, { validation, seed: 1 });
    expect(split(single, 0.3)).toThrowError("there are 1 cut-outs of class 2");
    expect(split({ ...SOURCE, backgrounds: [] }, 0.3)).toThrowError("there are 0 backgrounds");
    for (const part of [0, 1, Number.NaN]) expect(split(SOURCE, part)).toThrowError(TensorError);
  });
});
