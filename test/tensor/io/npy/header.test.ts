import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import { encodeNpyHeader, isNpy, readNpyHeader } from "../../../../packages/tensor/src/io/npy/header.js";
import { bytesOf, describeArray, npy } from "../../../support/npy.js";
import { refusal } from "../../../support/refusals.js";

describe("readNpy", () => {
  it("reads numbers of several types and both byte orders", async () => {
    const data = Float32Array.of(1, 2.5, -3, 4, 5, 6);
    expect(await io.readNpy(npy(describeArray("<f4", "(2, 3)"), bytesOf(data)))).toEqual({
      dtype: "float32",
      shape: [2, 3],
      data,
    });
    const swapped = npy(describeArray(">i4", "(2,)"), Uint8Array.of(0, 0, 1, 2, 255, 255, 255, 254));
    expect(await io.readNpy(swapped)).toEqual({ dtype: "int32", shape: [2], data: Int32Array.of(258, -2) });
    const scalar = npy(describeArray("<i8", "()"), bytesOf(BigInt64Array.of(-5n)));
    expect(await io.readNpy(scalar)).toEqual({ dtype: "int64", shape: [], data: BigInt64Array.of(-5n) });
  });

  it("turns Fortran order into row-major order", async () => {
    // Element (i, j, k) of shape (2, 3, 2) is 100 i + 10 j + k; the first index runs fastest in the file.
    const stored = Int16Array.from(
      { length: 12 },
      (_, at) => 100 * (at % 2) + 10 * (Math.floor(at / 2) % 3) + Math.floor(at / 6),
    );
    const read = await io.readNpy(npy(describeArray("<i2", "(2, 3, 2)", "True"), bytesOf(stored)));
    expect(Array.from(read.data as Int16Array)).toEqual([0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121]);
  });

  it("refuses damaged files and objects", async () => {
    const good = npy(describeArray("<f4", "(2,)"), new Uint8Array(8));
    for (const length of [0, 5, 9, 40, good.length - 1]) {
      await expect(io.readNpy(good.slice(0, length))).rejects.toMatchObject({ code: "corrupt-file" });
    }
    await expect(io.readNpy(npy(describeArray("|O", "(1,)"), new Uint8Array(8)))).rejects.toMatchObject({
      code: "unsupported-file",
    });
  });

  it.each<[string, string, string]>([
    [
      "a dtype of Object.prototype",
      describeArray("<__proto__", "(2,)"),
      "its dtype <__proto__ is not a supported number type",
    ],
    ["a dtype named constructor", describeArray("|constructor", "(2,)"), "its dtype |constructor is not"],
    ["no byte order", describeArray("f4", "(2,)"), "its dtype f4 is not"],
    ["complex numbers", describeArray("<c8", "(1,)"), "its dtype <c8 is not"],
    ["text", describeArray("<U2", "(1,)"), "its dtype <U2 is not"],
    ["Python objects", describeArray("|O", "(1,)"), "it holds Python objects, which are a pickle"],
    ["fields", "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,), }", "it holds records with fields"],
    ["a negative size", describeArray("<f4", "(-2,)"), "its header is {'descr'"],
    ["a fraction", describeArray("<f4", "(2.0,)"), "its header is {'descr'"],
    ["a size beyond 2^53", describeArray("|u1", "(99999999999999999999,)"), "its header is {'descr'"],
    ["sizes beyond 2^53", describeArray("|u1", "(9999999999, 9999999999)"), "its header is {'descr'"],
    ["65 dimensions", describeArray("<f4", `(${"1, ".repeat(65)})`), "its header is {'descr'"],
    [
      "a key twice",
      "{'descr': '<f4', 'descr': '<i4', 'fortran_order': False, 'shape': (2,), }",
      "its header is {'descr'",
    ],
    ["another key", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': (1,), }", "its header is {'descr'"],
    ["no shape", "{'descr': '<f4', 'fortran_order': False, }", "its header is {'descr'"],
    ["code", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } or exit()", "its header is {'descr'"],
    ["a shape larger than its data", describeArray("<f8", "(2,)"), "needs 16 bytes of data, it has 8"],
  ])("refuses a header with %s", async (_, header, problem) => {
    const error = await refusal(io.readNpy(npy(header, new Uint8Array(8))));
    expect(error.code).toMatch(/^(corrupt|unsupported)-file$/);
    expect(error.message).toContain(problem);
  });

  it("reads arrays without elements and sizes of Python 2", async () => {
    expect(await io.readNpy(npy(describeArray("<f4", "(0, 3)"), new Uint8Array(0)))).toMatchObject({ shape: [0, 3] });
    expect(await io.readNpy(npy(describeArray("|u1", "(2L,)"), Uint8Array.of(1, 2)))).toMatchObject({ shape: [2] });
  });
});

/** A file of any version, whose header claims a length. */
function versioned(version: number, text: string, data: Uint8Array, claimed = text.length): Uint8Array {
  const begin = version === 1 ? 10 : 12;
  const bytes = new Uint8Array(begin + text.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, claimed, true);
  else view.setUint32(8, claimed, true);
  bytes.set(new TextEncoder().encode(text), begin);
  bytes.set(data, begin + text.length);
  return bytes;
}

describe("the header of a .npy file", () => {
  const good = describeArray("|u1", "(3,)");
  const three = Uint8Array.of(1, 2, 3);
  it.each([1, 2, 3])("may be of version %i", async (version) => {
    const read = await io.readNpy(versioned(version, good, three));
    expect(read).toEqual({ dtype: "uint8", shape: [3], data: three });
  });

  it.each<[string, string, Uint8Array]>([
    ["version 0", "unsupported-file", versioned(0, good, three)],
    ["version 4", "unsupported-file", versioned(4, good, three)],
    ["another beginning", "corrupt-file", versioned(1, good, three).fill(0x58, 5, 6)],
    ["a length beyond its file", "corrupt-file", versioned(2, good, three, good.length + 4)],
    ["a length of 2^32 - 1", "corrupt-file", versioned(2, good, three, 2 ** 32 - 1)],
    ["64 KiB and a byte", "corrupt-file", versioned(2, good.padEnd(2 ** 16 + 1), three)],
    ["11 bytes in all", "corrupt-file", versioned(1, "{", new Uint8Array(0))],
  ])("is refused with %s", async (_, code, file) => {
    expect((await refusal(io.readNpy(file))).code).toBe(code);
  });

  it("may end where the file does, and have 64 KiB", async () => {
    const none = describeArray("|u1", "(0,)");
    expect((await io.readNpy(versioned(1, none, new Uint8Array(0)))).shape).toEqual([0]);
    expect((await io.readNpy(versioned(2, good.padEnd(2 ** 16), three))).shape).toEqual([3]);
  });

  it.each<[string, string, io.HostDtype, number[]]>([
    ["f8", "float64", "float64", [0, 0, 0, 0, 0, 0, 0xf8, 0x3f]],
    ["f4", "float32", "float32", [0, 0, 0xc0, 0x3f]],
    ["f2", "float16", "float32", [0, 0x3e]],
    ["i8", "int64", "int64", [0xfe, 255, 255, 255, 255, 255, 255, 255]],
    ["i4", "int32", "int32", [0xfe, 255, 255, 255]],
    ["i2", "int16", "int16", [0xfe, 255]],
    ["i1", "int8", "int8", [0xfe]],
    ["u8", "uint64", "uint64", [1, 2, 0, 0, 0, 0, 0, 0]],
    ["u4", "uint32", "uint32", [1, 2, 0, 0]],
    ["u2", "uint16", "uint16", [1, 2]],
    ["u1", "uint8", "uint8", [200]],
    ["b1", "bool", "bool", [1]],
  ])("has numpy's type %s", async (code, _, dtype, bytes) => {
    const expected = { f: [1.5], i: [-2], u: [code === "u1" ? 200 : 513], b: [1] }[code[0]!];
    for (const order of ["<", ">", "|", "="]) {
      const stored = order === ">" ? [...bytes].reverse() : bytes;
      const read = await io.readNpy(npy(describeArray(order + code, "(1,)"), Uint8Array.from(stored)));
      expect([read.dtype, Array.from<number | bigint>(read.data as Float32Array).map(Number)]).toEqual([
        dtype,
        expected,
      ]);
    }
  });

  it.each<[string, string, number[]]>([
    ["no spaces", "{'descr':'|u1','fortran_order':False,'shape':(2,3)}", [2, 3]],
    ["many spaces", "{ 'descr' :  '|u1' , 'fortran_order'  : False ,  'shape' : (  2 ,  3 , ) , } ", [2, 3]],
    ["another order", "{'shape': (6,), 'fortran_order': False, 'descr': '|u1'}", [6]],
    ["longs of Python 2", "{'descr': '|u1', 'fortran_order': False, 'shape': (2L, 3L), }", [2, 3]],
    ["space around it", "  {'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }  \n", [2, 3]],
  ])("may be written with %s", async (_, header, shape) => {
    expect((await io.readNpy(npy(header, new Uint8Array(6)))).shape).toEqual(shape);
  });

  it.each<[string, string]>([
    ["no brace at its beginning", "('descr': '|u1', 'fortran_order': False, 'shape': (6,), }"],
    ["no brace at its end", "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), "],
    ["more behind its end", "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), } x"],
    ["no order", "{'descr': '|u1', 'shape': (6,), }"],
    ["no type", "{'fortran_order': False, 'shape': (6,), }"],
    ["no shape", "{'descr': '|u1', 'fortran_order': False, }"],
    ["a type that is a shape", "{'descr': (6,), 'fortran_order': False, 'shape': (6,), }"],
    ["a shape that is no tuple", "{'descr': '|u1', 'fortran_order': False, 'shape': '6', }"],
    ["an order that is text", "{'descr': '|u1', 'fortran_order': 'False', 'shape': (6,), }"],
    ["no comma", "{'descr': '|u1' 'fortran_order': False 'shape': (6,) }"],
    ["an order twice", "{'descr': '|u1', 'fortran_order': True, 'fortran_order': False, 'shape': (6,), }"],
    ["a letter before a key", "{'descr': '|u1', 'fortran_order': False,x'shape': (6,) }"],
    ["a size of letters", "{'descr': '|u1', 'fortran_order': False, 'shape': (6x,), }"],
    ["a size after letters", "{'descr': '|u1', 'fortran_order': False, 'shape': (x6,), }"],
    ["a size of 17 digits", "{'descr': '|u1', 'fortran_order': False, 'shape': (00000000000000006,), }"],
    ["a size of nothing", "{'descr': '|u1', 'fortran_order': False, 'shape': (, 6), }"],
  ])("is refused with %s", async (_, header) => {
    expect((await refusal(io.readNpy(npy(header, new Uint8Array(6))))).code).toBe("corrupt-file");
  });

  it.each(["u1", "", "@u1", "<>u1", "<V8", "<O", "|S3", "<toString", "[('a', '|u1')]"])(
    "is not supported with the type %j",
    async (type) => {
      const text = type.startsWith("[") ? type : `'${type}'`;
      const header = `{'descr'  :  ${text}, 'fortran_order': False, 'shape': (6,), }`;
      expect((await refusal(io.readNpy(npy(header, new Uint8Array(6))))).code).toBe("unsupported-file");
    },
  );

  it("tells of Python objects that they are a pickle", async () => {
    const messages = ["|O", "|V8"].map((type) =>
      refusal(io.readNpy(npy(describeArray(type, "(1,)"), new Uint8Array(8)))),
    );
    const [objects, others] = await Promise.all(messages);
    expect(objects!.message).toContain("pickle");
    expect(others!.message).toMatch(/^readNpy: .*number type$/);
  });

  it("is read no further than its file", async () => {
    for (const file of [npy(good, three).slice(0, 11), versioned(2, good, three, good.length + 4)]) {
      const read = async (begin: number, end: number) => {
        if (end > file.length) throw new Error("beyond the end");
        return file.slice(begin, end).buffer;
      };
      const header = readNpyHeader({ reader: "test", file: "a" }, { size: file.length, read });
      expect((await refusal(header)).code).toBe("corrupt-file");
    }
  });

  it("needs exactly the data of its shape", async () => {
    for (const count of [5, 7]) {
      const read = io.readNpy(npy(describeArray("|u1", "(2, 3)"), new Uint8Array(count)));
      expect((await refusal(read)).code).toBe("corrupt-file");
    }
  });

  it("in Fortran order has its first dimension run fastest", async () => {
    const stored = Uint8Array.from(
      { length: 24 },
      (_, at) => 100 * (at % 2) + 10 * (Math.floor(at / 2) % 3) + Math.floor(at / 6),
    );
    const expected = Uint8Array.from(
      { length: 24 },
      (_, at) => 100 * Math.floor(at / 12) + 10 * (Math.floor(at / 4) % 3) + (at % 4),
    );
    expect((await io.readNpy(npy(describeArray("|u1", "(2, 3, 4)", "True"), stored))).data).toEqual(expected);
  });

  it("in Fortran order holds a vector and a scalar as they are", async () => {
    for (const shape of ["(4,)", "()"]) {
      const bytes = Uint8Array.of(1, 2, 3, 4).slice(0, shape === "()" ? 1 : 4);
      expect((await io.readNpy(npy(describeArray("|u1", shape, "True"), bytes))).data).toEqual(bytes);
    }
  });

  it.each([[[]], [[5]], [[2, 3]], [Array(40).fill(1)], [[1, 22, 3]]])(
    "that is written for the shape %j is read",
    async (shape) => {
      const bytes = encodeNpyHeader("float64", shape as number[]);
      expect([bytes.length % 64, bytes.at(-1)]).toEqual([0, 0x0a]);
      const read = async (begin: number, end: number) => bytes.slice(begin, end).buffer;
      expect(await readNpyHeader({ reader: "test", file: "a" }, { size: bytes.length, read })).toEqual({
        ...{ dtype: "float64", shape, bigEndian: false, fortran: false },
        dataBegin: bytes.length,
      });
    },
  );

  it("is written as numpy does", () => {
    const text = new TextDecoder("latin1");
    expect(text.decode(encodeNpyHeader("uint8", [3]))).toBe(
      `\x93NUMPY\x01\0v\0${"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }".padEnd(117)}\n`,
    );
    expect(text.decode(encodeNpyHeader("int16", [3, 4])).slice(10, 68)).toBe(
      "{'descr': '<i2', 'fortran_order': False, 'shape': (3, 4), }".slice(0, 58),
    );
    expect(text.decode(encodeNpyHeader("bool", []))).toContain("'|b1'");
  });

  it("begins with NumPy's mark", () => {
    const start = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
    expect(isNpy(Uint8Array.from(start))).toBe(true);
    for (let i = 0; i < 6; i++)
      expect(isNpy(Uint8Array.from(start.map((byte, at) => (at === i ? 0 : byte))))).toBe(false);
    expect(isNpy(Uint8Array.from(start.slice(1)))).toBe(false);
  });
});
