import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import {
  bool,
  call,
  dict,
  global,
  int,
  list,
  NONE,
  pickle,
  storage,
  string,
  tensor,
  torchLegacy,
  torchZip,
  tuple,
} from "../../../support/pickle.js";
import { expectRefused, formats, raw, SIX, weight } from "../../../support/pth-files.js";
import { refusal } from "../../../support/refusals.js";
import { join, zip } from "../../../support/zip.js";

describe("tensors on storages", () => {
  it("that are views to be negated are left out by name", async () => {
    const view = (isNegated: boolean) =>
      call(
        global("torch._utils", "_rebuild_tensor_v2"),
        ...[storage("0", 6), int(0), tuple(int(6)), tuple(int(1)), bool(false), NONE],
        dict([string("neg"), bool(isNegated)]),
      );
    const file = (isNegated: boolean) =>
      torchZip(pickle(dict([string("w"), weight], [string("n"), view(isNegated)])), { 0: SIX });
    await io.openWeights(file(true), async ({ arrays, skipped, read }) => {
      expect([Object.keys(arrays), skipped]).toMatchObject([["w"], [{ name: "n", reason: "it is a negated view" }]]);
      await expect(read("n")).rejects.toMatchObject({
        code: "unsupported-file",
        message: expect.stringContaining("tensor n is a negated view"),
        fix: expect.stringContaining("resolve_neg"),
      });
    });
    expect((await io.readPth(file(false))).n!.shape).toEqual([6]);
  });

  it("are made of Python 2's dicts, parameters, untyped storages and parts of storages", async () => {
    const pairs = call(global("collections", "OrderedDict"), list(list(string("a"), weight)));
    const parameter = call(global("torch._utils", "_rebuild_parameter"), weight, bool(true), NONE);
    const bytes = storage("1", 8, "UntypedStorage", "torch.storage");
    const v3 = call(
      global("torch._utils", "_rebuild_tensor_v3"),
      bytes,
      int(1),
      tuple(int(2)),
      tuple(int(1)),
      bool(false),
      NONE,
      global("torch", "uint16"),
    );
    const data = pickle(dict([string("pairs"), pairs]));
    for (const [, file] of formats(data)) expect(Object.keys(await io.readPth(file))).toEqual(["a"]);
    const untyped = await io.readPth(
      torchZip(pickle(dict([string("p"), parameter], [string("u"), v3])), { 0: SIX, 1: raw(1, 0, 2, 1, 3, 0, 9, 9) }),
    );
    expect(untyped.p?.shape).toEqual([2, 3]);
    expect(untyped.u).toEqual({ dtype: "uint16", shape: [2], data: Uint16Array.of(258, 3) });

    const view = tuple(string("v"), int(2), int(3));
    const part = join(
      tuple(string("storage"), global("torch", "FloatStorage"), string("0"), string("cpu"), int(6), view),
      raw(0x51),
    );
    const old = call(global("torch._utils", "_rebuild_tensor"), part, int(1), tuple(int(2)), tuple(int(1)));
    const read = await io.readPth(torchLegacy(pickle(dict([string("old"), old])), [["0", 6, SIX]]));
    expect(read.old).toEqual({ dtype: "float32", shape: [2], data: Float32Array.of(3, 4) });
  });

  it("that claim far more than the file holds are refused before anything is allocated", async () => {
    const huge = tensor(storage("0", 6), 0, [2 ** 20, 2 ** 10], [0, 0]);
    await expectRefused(pickle(dict([string("w"), huge])), "unsupported-file", /claim to unpack to 4096 MiB/);
    const many = Array.from({ length: 3000 }, (_, i): [Uint8Array, Uint8Array] => [
      string(`w${i}`),
      tensor(storage("0", 6), 0, [2 ** 14], [0]),
    ]);
    await expectRefused(pickle(dict(...many)), "unsupported-file", /claim to unpack to 188 MiB/);
  });

  it("need their storage in the file, whole", async () => {
    const data = pickle(dict([string("w"), weight]));
    const zipError = await refusal(io.readPth(torchZip(data, { 1: SIX })));
    expect(zipError.message).toContain("tensor w lies in storage 0, which is missing");
    const shortError = await refusal(io.readPth(torchZip(data, { 0: SIX.slice(0, 20) })));
    expect(shortError.message).toContain("tensor w ends at byte 24 of its storage, which has 20");
    const listError = await refusal(io.readPth(torchLegacy(data)));
    expect(listError.message).toContain("tensor w lies in storage 0, which is missing");
    const countError = await refusal(io.readPth(torchLegacy(data, [["0", 5, SIX]])));
    expect(countError.message).toContain("storage 0 has 5 elements, its pickle says 6");
    const endError = await refusal(io.readPth(torchLegacy(data, [["0", 6, SIX.slice(0, 23)]])));
    expect(endError.message).toContain("storage 0 of 24 bytes extends beyond the end of the file");
    const twiceError = await refusal(
      io.readPth(
        torchLegacy(data, [
          ["0", 6, SIX],
          ["0", 6, SIX],
        ]),
      ),
    );
    expect(twiceError.message).toContain("its list of storages is damaged");
  });

  it("read in big-endian order are refused in both formats", async () => {
    const data = pickle(dict([string("w"), weight]));
    const order = { byteorder: new TextEncoder().encode("big") };
    for (const file of [torchZip(data, { 0: SIX }, order), torchLegacy(data, [["0", 6, SIX]], false)]) {
      expect((await refusal(io.readPth(file))).message).toContain("its numbers are big-endian");
    }
  });

  it("are checked against their checksum where the whole of a storage is read", async () => {
    const data = pickle(dict([string("w"), weight]));
    const file = (crc: number) =>
      zip([
        ["archive/data.pkl", { data }],
        ["archive/data/0", { data: SIX, crc }],
      ]);
    expect((await refusal(io.readPth(file(5)))).message).toContain("its checksum does not match");
    // PyTorch writes none when it was told so.
    expect((await io.readPth(file(0))).w?.data[5]).toBe(5);
  });

  it("may have hostile names", async () => {
    const named = dict([string("__proto__"), weight], [string("a\u001b[2J\n"), weight], [string(""), weight]);
    for (const [, file] of formats(pickle(named))) {
      const read = await io.readPth(file);
      expect(Object.keys(read)).toEqual(["__proto__", "a\u001b[2J\n", ""]);
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
      expect(Object.hasOwn(read, "__proto__")).toBe(true);
    }
    const bad = dict([string("a\u001b[2J\n"), tensor(storage("9", 2, "QInt8Storage"), 0, [2], [1])]);
    const error = await refusal(io.readPth(torchZip(pickle(bad), { 9: raw(1, 2) })));
    expect(error.message).toContain("tensor a\\u001b[2J\\u000a has the dtype qint8");
  });

  it("read of a storage only what they need, however large it is", async () => {
    const elements = 5 * 2 ** 28;
    const width = elements / 64;
    const tensors: Record<string, Uint8Array> = {
      first: tensor(storage("0", 4 * elements, "UntypedStorage"), 0, [4], [1]),
      last: tensor(storage("0", 4 * elements, "UntypedStorage"), 4 * elements - 4, [4], [1]),
      column: tensor(storage("0", 4 * elements, "UntypedStorage"), 4 * width - 1, [64], [4 * width]),
      corner: tensor(storage("0", 4 * elements, "UntypedStorage"), 0, [2, 2], [2 * elements, 4 * width]),
    };
    const data = pickle(
      dict(...Object.entries(tensors).map(([name, part]): [Uint8Array, Uint8Array] => [string(name), part])),
    );
    const head = torchLegacy(data, [["0", 4 * elements, new Uint8Array(0)]]);
    const folder = await mkdtemp(joinPath(tmpdir(), "storage-"));
    try {
      const path = joinPath(folder, "sparse.pth");
      const file = await open(path, "w");
      await file.write(head, 0, undefined, 0);
      await file.write(raw(1, 2, 3, 4), 0, undefined, head.length);
      await file.write(raw(5, 6, 7, 8), 0, undefined, head.length + 4 * elements - 4);
      await file.close();
      const before = process.resourceUsage().maxRSS;
      const read = await io.readPth(path);
      expect(process.resourceUsage().maxRSS - before).toBeLessThan(60_000);
      expect(read.first?.data).toEqual(raw(1, 2, 3, 4));
      expect(read.last?.data).toEqual(raw(5, 6, 7, 8));
      expect(read.column?.data).toEqual(Uint8Array.from({ length: 64 }, (_, i) => (i === 63 ? 8 : 0)));
      expect(read.corner?.data).toEqual(raw(1, 0, 0, 0));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
