import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { data } from "@fcn/core";
import { TensorError } from "@fcn/tensor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMatLabels } from "../../../../packages/fcn/src/data/mat/labels.js";
import { assertProperty } from "../../../support/property.js";
import { encodeMat, type Writable } from "./matEncoder.js";

const golden = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../golden/mat/${name}.mat`, import.meta.url))));
const [HEIGHT, WIDTH] = [7, 5];
const label = (i: number, classes: number): number => (3 * Math.floor(i / WIDTH) + 5 * (i % WIDTH)) % classes;
const every: data.LabelRule = { by: "value", labels: Array.from({ length: 256 }, (_, i) => [i, i]) };

/** A variable, as the test knows it to be. */
const variable = <T>(values: Map<string, data.MatValue>, name: string): T => values.get(name) as unknown as T;

describe("MAT-files that scipy wrote", () => {
  it.each([
    ["sbd", ["GTcls", "Segmentation"], 21],
    ["sbd-plain", ["GTcls", "Segmentation"], 21],
    ["nyud", ["segmentation"], 41],
    ["siftflow-semantic", ["S"], 34],
  ])("%s gives its labels row by row", async (name, path, classes) => {
    const plane = await decodeMatLabels(name, golden(name), path, every);
    expect([plane.height, plane.width, plane.strays]).toEqual([HEIGHT, WIDTH, []]);
    expect([...plane.labels]).toEqual(Array.from({ length: HEIGHT * WIDTH }, (_, i) => label(i, classes)));
  });

  it("keep negative and large numbers apart", async () => {
    const geometric: data.LabelRule = { by: "value", labels: [[-1, 9], ...[0, 1, 2, 3].map((v) => [v, v] as const)] };
    const plane = await decodeMatLabels("g", golden("siftflow-geometric"), ["S"], geometric);
    expect(plane.labels[0]).toBe(9);
    expect(plane.labels[1]).toBe(label(1, 5) === 0 ? 9 : label(1, 5) - 1);
    const context = await decodeMatLabels("c", golden("context"), ["LabelMap"], {
      by: "value",
      labels: [
        [1, 1],
        [39, 2],
      ],
      other: 0,
    });
    expect([...context.labels]).toEqual(
      Array.from({ length: HEIGHT * WIDTH }, (_, i) => ({ 1: 1, 39: 2 })[label(i, 459) + 1] ?? 0),
    );
  });

  it("hold every kind of value", async () => {
    const values = await data.readMat("kinds.mat", golden("kinds"));
    expect(values.get("empty")).toMatchObject({ kind: "numeric", shape: [0, 3] });
    expect(values.get("text")).toMatchObject({ kind: "text", text: "two words" });
    expect(values.get("lines")).toMatchObject({ kind: "text", text: "ab\ncd" });
    expect(values.get("complex")).toMatchObject({ kind: "numeric", data: Float64Array.of(1, 3) });
    expect([...variable<{ data: Uint8Array }>(values, "logical").data]).toEqual([1, 0, 1]);
    expect([...variable<{ data: Float64Array }>(values, "big").data]).toEqual([2 ** 40, -(2 ** 40)]);
    const cube = variable<{ shape: number[]; data: Int32Array }>(values, "cube");
    expect(cube.shape).toEqual([2, 3, 4]);
    expect([...cube.data.subarray(0, 4)]).toEqual([0, 12, 4, 16]);
    const records = variable<{ elements: { n: { data: Float64Array }; t: { text: string } }[] }>(values, "records");
    expect(records.elements.map(({ n, t }) => [n.data[0], t.text])).toEqual([
      [1, "x"],
      [2, "y"],
    ]);
    const semantic = await data.readMat("s", golden("siftflow-semantic"));
    const names = variable<{ cells: { text: string }[] }>(semantic, "names");
    expect(names.cells.map(({ text }) => text)).toEqual(["awning", "balcony", "bird"]);
    const sbd = await data.readMat("sbd", golden("sbd"));
    const [record] = variable<{ elements: { Boundaries: { cells: unknown[] } }[] }>(sbd, "GTcls").elements;
    expect(record?.Boundaries.cells[3]).toMatchObject({ kind: "other", matClass: "sparse array" });
  });
});

const rows = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 })).chain(([h, w]) =>
  fc.array(fc.array(fc.integer({ min: 0, max: 127 }), { minLength: w, maxLength: w }), {
    minLength: h,
    maxLength: h,
  }),
);
const type = fc.constantFrom("double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32");

describe("readMat", () => {
  it("reads what an encoder made from the description writes, in both byte orders", async () => {
    const cases = fc.record({ rows, type, littleEndian: fc.boolean(), compress: fc.boolean() });
    await assertProperty(cases, 60, async ({ rows, type, ...options }) => {
      const value = { rows, type } as Writable;
      const inner = { fields: { a: { cells: [value, { text: "t" }] }, Segmentation: value } };
      const bytes = encodeMat({ x: value, GTcls: inner }, options);
      const plane = await decodeMatLabels("f", bytes, ["GTcls", "Segmentation"], every);
      expect([plane.height, plane.width]).toEqual([rows.length, rows[0]?.length]);
      expect([...plane.labels]).toEqual(rows.flat());
      expect((await decodeMatLabels("f", bytes, ["x"], every)).labels).toEqual(plane.labels);
    });
  });

  it("returns damaged files with one error that names the file, or with a value", async () => {
    const originals = ["sbd", "sbd-plain", "kinds"].map(golden);
    const damage = fc.record({
      which: fc.nat({ max: 2 }),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }),
      end: fc.option(fc.nat(), { freq: 2 }),
    });
    await assertProperty(damage, 400, async ({ which, edits, end }) => {
      const bytes = (originals[which] as Uint8Array).slice();
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      const cut = end === null ? bytes : bytes.subarray(0, end % bytes.length);
      try {
        await data.readMat("damaged.mat", cut);
      } catch (error) {
        expect(error).toBeInstanceOf(TensorError);
        expect((error as TensorError).message).toMatch(/^damaged\.mat: /);
      }
    });
  });

  it.each([
    ["of version 7.3", new TextEncoder().encode(`MATLAB 7.3 MAT-file${" ".repeat(200)}`), "version 7.3 (HDF5)"],
    ["of HDF5", Uint8Array.of(0x89, 0x48, 0x44, 0x46), "version 7.3 (HDF5)"],
    ["that are something else", new Uint8Array(300), "not a MAT-file of version 5"],
    ["that are cut off in their header", encodeMat({}).subarray(0, 100), "cut off after 100 bytes"],
  ])("refuses files %s", async (_, bytes, problem) => {
    await expect(data.readMat("a.mat", bytes)).rejects.toThrow(problem);
  });

  it("says what is there where a label matrix is missing", async () => {
    const bytes = encodeMat({ other: { text: "x" }, GTcls: { fields: { Boundaries: { text: "y" } } } });
    const decode = (path: string[]) => decodeMatLabels("a.mat", bytes, path, every);
    await expect(decode(["S"])).rejects.toThrow("a.mat: it has no label matrix S: its variables are other, GTcls");
    await expect(decode(["GTcls", "Segmentation"])).rejects.toThrow("the fields there are Boundaries");
    await expect(decode(["other"])).rejects.toThrow("it is a text of shape [1,1], not a matrix");
  });
});
