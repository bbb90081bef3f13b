import { type Params, packParams, parseKernel, specialize } from "@fcn/kernels";
import { describe, expect, it } from "vitest";

const source = `const WG: u32 = 64u;
const SLOPE: f32 = 0.5;
const VEC: bool = false;
struct Params { count: u32, shift: i32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
`;
const info = parseKernel({ name: "sample", source });

describe("a parsed kernel", () => {
  it("names its constants, parameters and bindings", () => {
    expect([...info.constants.keys()]).toEqual(["WG", "SLOPE", "VEC"]);
    expect(info.params).toEqual([
      { name: "count", type: "u32" },
      { name: "shift", type: "i32" },
      { name: "scale", type: "f32" },
    ]);
    expect(info.bindings).toEqual([
      { name: "x", access: "read", element: "f32" },
      { name: "y", access: "read_write", element: "f32" },
    ]);
  });

  it("refuses bindings out of order", () => {
    const wrong = source.replace("@binding(2)", "@binding(3)");
    expect(() => parseKernel({ name: "sample", source: wrong })).toThrow(
      "kernel sample: binding y has number 3, expected 2",
    );
  });

  it("refuses more parameters than a dispatch carries", () => {
    const fields = Array.from({ length: 65 }, (_, i) => `f${i}: u32`).join(", ");
    const wide = source.replace(/struct Params \{.*\}/, `struct Params { ${fields} }`);
    expect(() => parseKernel({ name: "sample", source: wide })).toThrow(
      "kernel sample: Params takes 260 bytes, at most 256",
    );
  });

  it("replaces the constants that are named and no others", () => {
    const text = specialize(info, { WG: 128, VEC: true, SLOPE: 2 });
    expect(text.split("\n").slice(0, 3)).toEqual([
      "const WG: u32 = 128u;",
      "const SLOPE: f32 = 2.0;",
      "const VEC: bool = true;",
    ]);
    expect(specialize(info, { VEC: 1 })).toContain("const VEC: bool = true;");
    expect(specialize(info, { VEC: 0 })).toContain("const VEC: bool = false;");
    expect(specialize(info, {})).toBe(source);
    const sized = source.replace("@compute", "@compute @subgroup_size(8)");
    expect(specialize(info, {}, 8)).toBe(`enable subgroup_size_control;\n${sized}`);
    expect(() => specialize(info, { TILE: 4 })).toThrow("kernel sample has no constant TILE");
  });

  it("packs parameters in the order of the struct, and refuses unknown and missing ones", () => {
    const view = new DataView(new ArrayBuffer(32));
    packParams(info, { scale: 0.25, shift: -3, count: 4e9 }, view, 16);
    expect([view.getUint32(16, true), view.getInt32(20, true), view.getFloat32(24, true)]).toEqual([4e9, -3, 0.25]);
    expect(() => packParams(info, { scale: 1, shift: 0, count: 1, extra: 1 }, view, 0)).toThrow(
      "kernel sample has no parameter extra",
    );
    expect(() => packParams(info, { scale: 1, shift: 0 }, view, 0)).toThrow(
      "kernel sample: parameter count is missing",
    );
  });
});

describe("parameters with vectors", () => {
  const struct = `struct Params {
  count: u32, // a scalar: the vectors begin at the next 16 bytes
  offset: vec4i,
  scale: f32,
  dims: array<vec4u, 2>,
  last: vec4f,
}`;
  const vectors = parseKernel({ name: "vectors", source: struct });
  const given = { count: 7, offset: [-1, 2], scale: 0.5, dims: [1, 2, 3, 4, 4e9], last: [0, 0, 0, 0.25] };

  it("lie where WGSL's rules for uniforms put them", () => {
    expect(vectors.params.map(({ name, type, vectors }) => [name, type, vectors])).toEqual([
      ["count", "u32", undefined],
      ["offset", "i32", 1],
      ["scale", "f32", undefined],
      ["dims", "u32", 2],
      ["last", "f32", 1],
    ]);
    expect(vectors.paramsBytes).toBe(96);
    const view = new DataView(new ArrayBuffer(128));
    for (let at = 0; at < 128; at += 4) view.setUint32(at, 0xdeadbeef, true);
    packParams(vectors, given, view, 16);
    const words = (at: number, read: "getUint32" | "getInt32" | "getFloat32", count = 4) =>
      Array.from({ length: count }, (_, i) => view[read](16 + at + 4 * i, true));
    expect(words(0, "getUint32", 1)).toEqual([7]);
    expect(words(16, "getInt32")).toEqual([-1, 2, 0, 0]);
    expect(words(32, "getFloat32", 1)).toEqual([0.5]);
    expect(words(48, "getUint32", 8)).toEqual([1, 2, 3, 4, 4e9, 0, 0, 0]);
    expect(words(80, "getFloat32")).toEqual([0, 0, 0, 0.25]);
    expect(words(96, "getUint32", 1)).toEqual([0xdeadbeef]);
  });

  it("end at a multiple of 16 bytes, which counts against the limit", () => {
    expect(parseKernel({ name: "v", source: "struct Params { a: vec4u, b: u32 }" }).paramsBytes).toBe(32);
    const source = "struct Params { dims: array<vec4u, 15>, a: u32, b: vec4f }";
    expect(() => parseKernel({ name: "v", source })).toThrow("kernel v: Params takes 272 bytes, at most 256");
  });

  it.each([
    [{ count: [7] }, "kernel vectors: parameter count is a list, not a number"],
    [{ dims: 3 }, "kernel vectors: parameter dims is a number, not a list"],
    [{ dims: Array(9).fill(1) }, "kernel vectors: parameter dims has 9 entries, at most 8"],
    [{ offset: [1, 2, 3, 4, 5] }, "kernel vectors: parameter offset has 5 entries, at most 4"],
    [{ extra: [1] }, "kernel vectors has no parameter extra"],
  ])("refuse %o", (wrong, message) => {
    const view = new DataView(new ArrayBuffer(128));
    expect(() => packParams(vectors, { ...given, ...wrong } as Params, view, 0)).toThrow(message);
  });

  it.each(["vec3u", "array<u32, 4>", "mat4x4f", "u"])("have no field of type %s", (type) =>
    expect(() => parseKernel({ name: "v", source: `struct Params { a: ${type} }` })).toThrow(
      `kernel v: parameter a has type ${type}, expected scalars or vec4 of them`,
    ),
  );
});

describe("the text of a kernel", () => {
  it("may be spaced in any way", () => {
    const bindings = Array.from(
      { length: 11 },
      (_, i) =>
        `@group(0)${i % 2 ? "  " : ""}@binding(${i + 1})${i % 2 ? "\n  " : ""}var<storage,${i % 2 ? "  " : ""}read>${i % 2 ? "  " : " "}b${i}${i % 2 ? "  " : ""}:f32;`,
    );
    const { params, bindings: found } = parseKernel({
      name: "spaced",
      source: `struct Params{a:u32,b  :  vec4u,c:array<vec4f,2>,d: array<vec4i,  3>}\n${bindings.join("\n")}`,
    });
    expect(params.map(({ name, type, vectors }) => `${name} ${type} ${vectors}`)).toEqual([
      "a u32 undefined",
      "b u32 1",
      "c f32 2",
      "d i32 3",
    ]);
    expect(found.map(({ name }) => name)).toEqual(bindings.map((_, i) => `b${i}`));
    expect(parseKernel({ name: "struct", source: "struct Params   { a: u32 }" }).params).toHaveLength(1);
  });

  it.each(["xu32", "u321", "xvec4u", "vec4us"])("has no field of type %s", (type) =>
    expect(() => parseKernel({ name: "v", source: `struct Params { a: ${type} }` })).toThrow(`has type ${type}`),
  );

  it("may have neither parameters nor constants, and 256 bytes of parameters at most", () => {
    expect(parseKernel({ name: "empty", source: "" })).toMatchObject({ params: [], paramsBytes: 0, bindings: [] });
    const fields = Array.from({ length: 64 }, (_, i) => `f${i}: u32`).join(", ");
    expect(parseKernel({ name: "wide", source: `struct Params { ${fields} }` }).paramsBytes).toBe(256);
  });

  it("enables subgroups in a line of its own", () => {
    const has = (source: string) => parseKernel({ name: "s", source }).subgroups;
    expect(["enable subgroups;\n", "// enable subgroups;\n", ""].map(has)).toEqual([true, false, false]);
  });

  it("has constants of every type, those within functions left out", () => {
    const source = "const N: i32 = 1;\nconst S: f32 = 0.5;\nconst B: bool = true;\nfn f() {\n  const L: u32 = 4u;\n}\n";
    const typed = parseKernel({ name: "typed", source });
    expect([...typed.constants]).toEqual([
      ["N", { type: "i32", text: "1" }],
      ["S", { type: "f32", text: "0.5" }],
      ["B", { type: "bool", text: "true" }],
    ]);
    expect(specialize(typed, { N: -3, S: 0.25, B: false }).split("\n").slice(0, 3)).toEqual([
      "const N: i32 = -3;",
      "const S: f32 = 0.25;",
      "const B: bool = false;",
    ]);
  });
});
