import { io } from "@fcn/tensor";
import { describe, expect, it } from "vitest";
import {
  BUILD,
  call,
  dict,
  EMPTY_DICT,
  EMPTY_LIST,
  EMPTY_TUPLE,
  get,
  global,
  int,
  MARK,
  NEWOBJ,
  NONE,
  pickle,
  put,
  REDUCE,
  STACK_GLOBAL,
  storage,
  string,
  tensor,
  torchLegacy,
  torchZip,
  tuple,
} from "../../../support/pickle.js";
import { expectRefused, formats, raw, SIX, weight } from "../../../support/pth-files.js";
import { refusal } from "../../../support/refusals.js";
import { fields, join } from "../../../support/zip.js";

describe("a pickle that reaches for code", () => {
  const payload = string("touch /tmp/never");
  it.each<[string, Uint8Array, string]>([
    ["GLOBAL and REDUCE", call(global("os", "system"), payload), "os.system"],
    ["posix", call(global("posix", "system"), payload), "posix.system"],
    ["builtins.eval", call(global("builtins", "eval"), payload), "builtins.eval"],
    ["Python 2's eval", call(global("__builtin__", "eval"), payload), "builtins.eval"],
    ["builtins.getattr", call(global("builtins", "getattr"), payload), "builtins.getattr"],
    ["STACK_GLOBAL", join(string("subprocess"), string("Popen"), STACK_GLOBAL), "subprocess.Popen"],
    ["a dotted name", join(string("builtins"), string("__import__.os"), STACK_GLOBAL), "builtins.__import__.os"],
    ["INST", join(MARK, payload, new TextEncoder().encode("ios\nsystem\n")), "os.system"],
    ["OBJ", join(MARK, global("os", "system"), payload, raw(0x6f)), "os.system"],
    ["NEWOBJ", join(global("os", "_wrap_close"), tuple(payload), NEWOBJ), "os._wrap_close"],
    ["a harmless module's neighbour", call(global("torch", "load"), payload), "torch.load"],
    ["torch.hub", call(global("torch.hub", "load"), payload), "torch.hub.load"],
    ["functools", call(global("functools", "partial"), payload), "functools.partial"],
    ["Object.prototype", global("__proto__", "constructor"), "__proto__.constructor"],
    ["a name of our own table", global("constructor", "name"), "constructor.name"],
  ])("by %s is refused by name", async (_, part, name) => {
    const beside = dict([string("w"), weight], [string("x"), part]);
    for (const data of [
      pickle(part),
      pickle(beside),
      pickle(dict([string("args"), part], [string("model"), beside])),
    ]) {
      for (const [, file] of formats(data)) {
        const error = await refusal(io.readPth(file));
        expect(error).toMatchObject({ code: "unsafe-pickle" });
        expect(error.message).toContain(`asks for ${name}, which has no part in a state dict; nothing was executed`);
      }
    }
  });

  it("is refused with all of its names at once, whatever stands for them", async () => {
    const part = (module: string, name: string) => call(global(module, name), payload);
    const many = dict(
      [string("w"), weight],
      [string("a"), join(part("pkg.config", "Config"), dict([string("lr"), int(1)]), BUILD)],
      [string("b"), tuple(part("numpy", "load"), part("os", "system"), part("pkg.config", "Config"))],
      [string("c"), call(global("torch._utils", "_rebuild_parameter"), part("pkg", "Weird"))],
    );
    const names = ["pkg.config.Config", "numpy.load", "os.system", "pkg.Weird"];
    for (const [, file] of formats(pickle(many))) {
      const error = await refusal(io.readPth(file));
      expect(error).toMatchObject({ code: "unsafe-pickle", details: { names, file: "the given bytes" } });
      expect(error.message).toContain(`asks for ${names.join(", ")}, which have no part in a state dict`);
      expect(error.fix).toContain(`{ opaque: ${JSON.stringify(names).replaceAll(",", ", ")} }`);
    }
  });

  it("of tensors that Python's pickle wrote comes with a remedy that helps: as inert data they would be gone", async () => {
    const inner = call(global("torch.storage", "_load_from_bytes"), payload);
    const one = tensor(inner, 0, [2, 3], [3, 1]);
    for (const [, file] of formats(
      pickle(dict([string("w"), one], [string("x"), call(global("os", "system"), payload)])),
    )) {
      const error = await refusal(io.readPth(file));
      expect(error).toMatchObject({ code: "unsafe-pickle", fix: expect.stringMatching(/pickle\.load.*torch\.save/) });
      expect([error.commandFix, error.fix]).toEqual([error.fix, expect.not.stringContaining("opaque")]);
    }
  });

  it("does not stop at what is harmless: versions, names, dates, generators", async () => {
    await io.openWeights(new URL("../../../golden/pth/harmless.pth", import.meta.url), ({ arrays, metadata, key }) => {
      expect([Object.keys(arrays), key]).toEqual([["w"], "state_dict"]);
      expect(metadata).toEqual({ version: "2.1.0" });
    });
  });

  it("stays data when the caller names the class", async () => {
    const data = pickle(dict([string("w"), weight], [string("x"), call(global("os", "system"), payload)]));
    for (const [, file] of formats(data)) {
      expect(Object.keys(await io.readPth(file, { opaque: ["os.system"] }))).toEqual(["w"]);
    }
  });

  it("does not hide after REDUCE, BUILD and wrappers", async () => {
    const wrapped = call(global("torch._tensor", "_rebuild_from_type_v2"), string("f"), NONE, tuple(), NONE);
    const nested = call(
      global("torch._tensor", "_rebuild_from_type_v2"),
      global("torch._tensor", "_rebuild_from_type_v2"),
      NONE,
      tuple(),
      NONE,
    );
    await expectRefused(pickle(wrapped), "corrupt-file", /rebuilds a tensor with a function that makes something else/);
    await expectRefused(pickle(nested), "corrupt-file", /rebuilds a tensor with a function that makes something else/);
    await expectRefused(
      pickle(call(string("os.system"), string("x"))),
      "corrupt-file",
      /calls something that is neither a class/,
    );
    await expectRefused(pickle(join(EMPTY_LIST, dict(), BUILD)), "corrupt-file", /sets the state of an object/);
    await expectRefused(
      pickle(call(global("torch._utils", "_rebuild_parameter"), string("x"))),
      "corrupt-file",
      /not a tensor as a parameter/,
    );
  });

  it("may set state and attributes of what is inert", async () => {
    const args = join(call(global("argparse", "Namespace")), dict([string("lr"), int(1)]), BUILD);
    const state = join(dict([string("w"), join(weight, dict([string("name"), string("n")]), BUILD)]), dict(), BUILD);
    for (const [, file] of formats(pickle(dict([string("model"), state], [string("args"), args])))) {
      expect((await io.readPth(file)).w?.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    }
  });
});

describe("a damaged pickle", () => {
  it.each<[string, Uint8Array, RegExp]>([
    ["an empty stack", pickle(), /stack is empty/],
    ["a missing mark", pickle(raw(0x74)), /no mark/],
    ["values below the mark", pickle(int(1), MARK, raw(0x61)), /stack is empty/],
    ["a value that was never stored", pickle(get(7)), /recalls value 7/],
    ["an unknown opcode", pickle(raw(0xff)), /unknown opcode 0xff/],
    ["the extension registry", pickle(raw(0x82, 1)), /unknown opcode 0x82/],
    ["an out-of-band buffer", pickle(raw(0x97)), /unknown opcode 0x97/],
    ["a key without a value", pickle(EMPTY_DICT, MARK, int(1), raw(0x75)), /key without a value/],
    ["items of a list", pickle(EMPTY_LIST, int(1), int(2), raw(0x73)), /items of something that is not a dict/],
    ["an append to a dict", pickle(EMPTY_DICT, int(1), raw(0x61)), /appends to something that is not a list/],
    ["text that is not UTF-8", pickle(raw(0x58, 1, 0, 0, 0, 0xff)), /not UTF-8/],
    ["a negative length", pickle(raw(0x54, 0xff, 0xff, 0xff, 0xff)), /negative length/],
    [
      "a number of a million bytes",
      pickle(raw(0x8b, 0x40, 0x42, 0x0f, 0), new Uint8Array(1e6)),
      /number of 1000000 bytes/,
    ],
    ["a damaged number", pickle(new TextEncoder().encode("I12x\n")), /number 12x/],
    ["an endless number", pickle(new TextEncoder().encode(`L${"9".repeat(5000)}\n`)), /has the number 9{80}\.\.\./],
    ["a persistent id that is no storage", pickle(tuple(string("module"), NONE), raw(0x51)), /not a storage/],
    [
      "a storage of no class",
      pickle(tuple(string("storage"), NONE, string("0"), string("cpu"), int(6)), raw(0x51)),
      /storage with damaged/,
    ],
    ["a storage of negative length", pickle(storage("0", -6)), /storage with damaged/],
    ["a storage in two ways", pickle(tuple(storage("0", 6), storage("0", 5))), /storage 0 in two ways/],
    ["a tensor out of its storage", pickle(tensor(storage("0", 6), 1, [2, 3], [3, 1])), /extends beyond its storage/],
    ["strides out of the storage", pickle(tensor(storage("0", 6), 0, [2, 2], [5, 1])), /extends beyond its storage/],
    ["negative strides", pickle(tensor(storage("0", 6), 5, [6], [-1])), /tensor with damaged/],
    ["too few strides", pickle(tensor(storage("0", 6), 0, [2, 3], [1])), /tensor with damaged/],
    ["a negative size", pickle(tensor(storage("0", 6), 0, [-2], [1])), /tensor with damaged/],
    ["65 dimensions", pickle(tensor(storage("0", 6), 0, Array(65).fill(1), Array(65).fill(0))), /tensor with damaged/],
    [
      "sizes beyond 2^53",
      pickle(tensor(storage("0", 6), 0, Array(4).fill(2e9), Array(4).fill(0))),
      /tensor with damaged/,
    ],
    ["a newer protocol", join(raw(0x80, 9), NONE, raw(0x2e)), /protocol 9/],
  ])("with %s is refused", async (_, data, problem) => {
    for (const [, file] of formats(data)) {
      const error = await refusal(io.readPth(file));
      expect(error.code).toMatch(/^(corrupt|unsupported)-file$/);
      expect(error.message).toMatch(problem);
    }
  });

  it("may be cyclic and deep", async () => {
    const cycle = join(EMPTY_LIST, put(1), get(1), raw(0x61));
    const deep = join(new Uint8Array(100_000).fill(0x5d), new Uint8Array(99_999).fill(0x61));
    const own = join(EMPTY_DICT, put(2), MARK, string("self"), get(2), string("w"), weight, raw(0x75));
    for (const part of [cycle, deep, own]) {
      for (const [, file] of formats(
        pickle(dict([string("model"), dict([string("w"), weight])], [string("x"), part])),
      )) {
        expect(Object.keys(await io.readPth(file))).toEqual(["w"]);
      }
    }
    const noTensors: [Uint8Array, string][] = [
      [cycle, "it holds a list, but no dict of tensors"],
      [dict([deep, NONE]), "it holds a dict with object, but no dict"],
    ];
    for (const [part, problem] of noTensors) {
      for (const file of [torchZip(pickle(part)), torchLegacy(pickle(part))]) {
        expect((await refusal(io.readPth(file))).message).toContain(problem);
      }
    }
  });

  it("may share one dict a thousand times at every level, and wrap a name ten thousand times", async () => {
    const level = (inner: Uint8Array, memo: number) =>
      join(
        dict(
          ...Array.from({ length: 1000 }, (_, i): [Uint8Array, Uint8Array] => [
            string(`k${i}`),
            i === 0 ? join(inner, put(memo)) : get(memo),
          ]),
        ),
      );
    const wide = level(level(level(dict(), 0), 1), 2);
    expect((await refusal(io.readPth(torchZip(pickle(wide))))).message).toContain("it holds a dict with k0, k1");
    const name = "module.".repeat(10_000);
    const wrapped = pickle(dict([string(`${name}w`), weight], [string(`${name}module.b`), weight]));
    expect(Object.keys(await io.readPth(torchZip(wrapped, { 0: SIX })))).toEqual(["w", "module.b"]);
  });

  it("does not multiply a list by recalling it", async () => {
    const long = join(EMPTY_LIST, MARK, new Uint8Array(10_000).fill(0x4e), raw(0x65), put(0));
    const again = Array.from({ length: 2000 }, () => call(global("collections", "OrderedDict"), get(0)));
    await expectRefused(pickle(long, ...again), "corrupt-file", /makes a dict from items that are not pairs/);
  });
});

describe("a legacy file that is no file of torch.save", () => {
  it.each<[string, Uint8Array, string]>([
    ["another pickle", pickle(int(5)), "it is a pickle that torch.save did not write"],
    ["a newer version", join(torchLegacy(pickle(NONE)).slice(0, 15), pickle(int(1002))), "its format version is 1002"],
    ["nothing", new Uint8Array(0), "it starts neither as a zip archive nor as a pickle"],
    ["a call of nothing", join(raw(0x80, 2), EMPTY_TUPLE, REDUCE), "its stack is empty"],
  ])("is refused: %s", async (_, file, problem) => {
    expect((await refusal(io.readPth(file))).message).toContain(problem);
  });

  it("has pickles longer than one read", async () => {
    const many = Array.from({ length: 3000 }, (_, i): [Uint8Array, Uint8Array] => [
      string(`a.rather.long.name.of.a.layer.${i}`),
      tensor(storage("0", 6), 0, [6], [1]),
    ]);
    const file = torchLegacy(pickle(dict(...many)), [["0", 6, SIX]]);
    expect(file.length).toBeGreaterThan(2 ** 18);
    const read = await io.readPth(file);
    expect(Object.keys(read)).toHaveLength(3000);
    expect(read["a.rather.long.name.of.a.layer.2999"]?.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(fields([[2, 258]])).toEqual(raw(2, 1));
  });
});
