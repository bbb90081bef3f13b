import { describe, expect, it } from "vitest";
import { Opaque } from "../../../../packages/tensor/src/io/pickle/values.js";
import { findStateDict } from "../../../../packages/tensor/src/io/pth/checkpoint.js";
import { StorageRef, TensorRef, torchDtypes, Unread } from "../../../../packages/tensor/src/io/pth/tensors.js";

const at = { reader: "test", file: "a" };
const float32 = torchDtypes().get("float32")!;
const t = new TensorRef(new StorageRef("0", float32, 6, 0, 6), float32, [6], [1], 0);
const sparse = new Unread("is sparse", "none");
const map = (fields: Record<string, unknown>) => new Map<unknown, unknown>(Object.entries(fields));
const net = (name = "w") => map({ [name]: t });
const find = (root: unknown, key?: string) => findStateDict(at, root, key);
/** Where the state dict was found, and its names. */
const found = (root: unknown, key?: string) => {
  const { key: place, tensors } = find(root, key);
  return [place, ...tensors.keys()];
};

describe("findStateDict", () => {
  it("takes the whole file, and names what is no tensor", () => {
    const root = map({ a: t, steps: 3, b: sparse, none: null });
    expect(find(root)).toEqual({
      tensors: new Map<string, unknown>([
        ["a", t],
        ["b", sparse],
      ]),
      ignored: ["steps", "none"],
      key: undefined,
      metadata: {},
    });
  });

  it("keeps the plain values beside the state dict as text", () => {
    const root = map({
      model: net(),
      epoch: 3,
      best: true,
      arch: "fcn",
      seed: 2n ** 60n,
      long: "x".repeat(1001),
      none: null,
      list: [1],
      dict: map({ lr: 1 }),
    });
    root.set(7, "no name");
    const { key, metadata } = find(root);
    expect(key).toBe("model");
    expect(metadata).toEqual({
      epoch: "3",
      best: "true",
      arch: "fcn",
      seed: "1152921504606846976",
      long: "x".repeat(1000),
    });
    expect(find([net(), 3]).metadata).toEqual({});
  });

  it.each<[string, unknown, unknown[]]>([
    ["the only dict of tensors", map({ anything: net(), optimizer: map({ lr: 1 }) }), ["anything", "w"]],
    ["a dict three levels down", map({ a: map({ b: [0, net()] }) }), ["a.b.1", "w"]],
    ["an item of a list", [1, net()], ["1", "w"]],
    ["the first level that has one", map({ a: map({ b: net("deep") }), c: net() }), ["c", "w"]],
    ["tensors that can be read", map({ a: map({ v: sparse }), b: net() }), ["b", "w"]],
    ["tensors that can be read, further down", map({ a: map({ v: sparse }), b: map({ c: net() }) }), ["b.c", "w"]],
    ["tensors that cannot be read, if there are no others", map({ a: map({ v: sparse, x: 1 }) }), ["a", "v"]],
    [
      "names that are all text",
      map({
        a: new Map<unknown, unknown>([
          ["w", t],
          [1, t],
        ]),
        b: net(),
      }),
      ["b", "w"],
    ],
  ])("finds %s", (_, root, expected) => {
    expect(found(root)).toEqual(expected);
  });

  it.each(
    ["state_dict", "model", "net", "network", "module", "weights", "params"].map((name, i, all) => [
      ["model_state_dict", ...all][i]!,
      name,
    ]),
  )("prefers %s to %s, and both to other names", (first, second) => {
    expect(found(map({ other: net(), [second]: net(), [first]: net() }))).toEqual([first, "w"]);
    expect(found(map({ other: net(), [second]: net() }))).toEqual([second, "w"]);
  });

  it("takes the one that is named", () => {
    const root = map({ w: t, ema: net("v") });
    expect(found(root, "")).toEqual([undefined, "w"]);
    expect(found(root, "ema")).toEqual(["ema", "v"]);
    expect(found(map({ model: net(), other: net("v") }), "other")).toEqual(["other", "v"]);
  });

  it.each<[string, unknown, string[]]>([
    ["two names", map({ a: net(), b: net() }), ["a", "b"]],
    ["the file and a part of it", map({ w: t, ema: net() }), ["", "ema"]],
    ["one dict in two places", ((dict) => map({ a: dict, b: dict }))(net()), ["a", "b"]],
  ])("asks between %s", (_, root, keys) => {
    expect(() => find(root)).toThrow(
      expect.objectContaining({ code: "ambiguous-checkpoint", details: expect.objectContaining({ keys, file: "a" }) }),
    );
  });

  it("calls the file itself by no key", () => {
    expect(() => find(map({ w: t, ema: net() }))).toThrow("the file itself");
    expect(() => find(map({ a: net(), b: net() }))).not.toThrow("the file itself");
  });

  it("looks once into a dict that stands in many places", () => {
    let [looks, walks] = [0, 0];
    class Counting extends Map<unknown, unknown> {
      override keys() {
        looks++;
        return super.keys();
      }
      override [Symbol.iterator]() {
        walks++;
        return super[Symbol.iterator]();
      }
    }
    const shared = new Counting([["lr", 1]]);
    expect(found(map({ a: shared, b: [shared, shared], c: map({ d: shared, model: net() }) }))).toEqual([
      "c.model",
      "w",
    ]);
    expect([looks, walks]).toEqual([1, 1]);
  });

  it("refuses a key that is not there", () => {
    for (const key of ["b", "", "a.w"]) {
      expect(() => find(map({ a: net() }), key)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    }
  });

  it.each<[string, unknown, string]>([
    ["one tensor", t, "one tensor"],
    ["one that cannot be read", sparse, "one tensor"],
    ["an object", new Opaque("pkg.Net", []), "an object of pkg.Net"],
    [
      "a dict",
      new Map<unknown, unknown>([
        ["lr", 1],
        [2, 3],
      ]),
      "a dict with lr, number",
    ],
    ["a list", [t, 1], "a list,"],
    ["a number", 5, "one value"],
    ["a dict four levels down", map({ a: map({ b: map({ c: map({ d: net() }) }) }) }), "a dict with a,"],
    ["a dict below a name that is no text", new Map([[1, net()]]), "a dict with number"],
  ])("finds none in %s", (_, root, kind) => {
    expect(() => find(root)).toThrow(
      expect.objectContaining({ code: "unsupported-file", message: expect.stringContaining(`it holds ${kind}`) }),
    );
  });

  it("ends in a file that holds itself", () => {
    const root = map({ model: net() });
    root.set("self", root);
    root.set("list", [root]);
    expect(found(root)).toEqual(["model", "w"]);
  });
});
