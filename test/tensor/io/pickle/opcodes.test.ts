import { describe, expect, it } from "vitest";
import { unpickle } from "../../../../packages/tensor/src/io/pickle/unpickle.js";
import { Global, Opaque, type PickleHooks } from "../../../../packages/tensor/src/io/pickle/values.js";
import { refusal } from "../../../support/refusals.js";

/** Each class is read as what it is called with; `inert` ones stay data. */
const hooks: PickleHooks = {
  find: (module, name) =>
    new Global(`${module}.${name}`, (args) => (name === "inert" ? new Opaque(name, args) : { name, args })),
  refusal: () => undefined,
  persistent: (id) => ({ id }),
  takesState: (value) => value instanceof Map,
};
const at = { reader: "test", file: "a" };
const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
/** What a pickle gives, whose bytes are written as Latin-1. */
const load = (text: string) => unpickle(at, bytesOf(text), hooks).value;
const refused = (text: string) => refusal(Promise.resolve().then(() => load(text)));

describe("a pickle, as Python reads it", () => {
  it.each<[string, string, unknown]>([
    // Numbers and other constants
    ["None", "N.", null],
    ["true", "\x88.", true],
    ["false", "\x89.", false],
    ["true of protocol 0", "I01\n.", true],
    ["false of protocol 0", "I00\n.", false],
    ["an int of protocol 0", "I-12\n.", -12],
    ["an int with a plus", "I+12\n.", 12],
    ["a long of protocol 0", "L12345678901234567890L\n.", 12345678901234567890n],
    ["a long without its L", "L-7\n.", -7],
    ["a float of protocol 0", "F-12.5\n.", -12.5],
    ["a float with a plus and an exponent", "F+1.25e+2\n.", 125],
    ["a small float", "F5E-1\n.", 0.5],
    ["a float with a long exponent", "F1e010\n.", 1e10],
    ["a float that ends in its point", "F2.\n.", 2],
    ["a float that begins with its point", "F.25\n.", 0.25],
    ["infinity", "Finf\n.", Number.POSITIVE_INFINITY],
    ["minus infinity", "F-inf\n.", Number.NEGATIVE_INFINITY],
    ["NaN", "Fnan\n.", Number.NaN],
    ["an int of 4 bytes", "J\xfe\xff\xff\xff.", -2],
    ["an int of 1 byte", "K\xff.", 255],
    ["an int of 2 bytes", "M\x01\xff.", 0xff01],
    ["a float of 8 bytes", "G\x3f\xf8\0\0\0\0\0\x01.", 1.5 + 2 ** -52],
    ["a long of no bytes", "\x8a\0.", 0],
    ["a long of 1 byte", "\x8a\x01\xff.", -1],
    ["a long of 2 bytes", "\x8a\x02\x01\x02.", 0x0201],
    ["the largest safe integer", "\x8a\x07\xff\xff\xff\xff\xff\xff\x1f.", Number.MAX_SAFE_INTEGER],
    ["the smallest safe integer", "\x8a\x07\x01\0\0\0\0\0\xe0.", Number.MIN_SAFE_INTEGER],
    ["the integer after it", "\x8a\x07\0\0\0\0\0\0\x20.", 2n ** 53n],
    ["the integer before it", "\x8a\x07\0\0\0\0\0\0\xe0.", -(2n ** 53n)],
    ["a long of 9 bytes", "\x8a\x09\0\0\0\0\0\0\0\0\x01.", 2n ** 64n],
    ["a long with its length in 4 bytes", "\x8b\x02\0\0\0\x01\x02.", 0x0201],
    ["a long of 1024 bytes", `\x8b\0\x04\0\0\x05${"\0".repeat(1023)}.`, 5],
    ["a decimal of 1024 digits", `L${"0".repeat(1022)}42\n.`, 42],
    // Text and bytes
    ["text of protocol 0", "S'it''s'\n.", "it''s"],
    ["text in double quotes", 'S"a"\n.', "a"],
    ["no text", "S''\n.", ""],
    ["Unicode text of protocol 0", "Vab\n.", "ab"],
    ["text with its length in 4 bytes", "T\x02\0\0\0\xc3\xa9.", "é"],
    ["text with its length in 1 byte", "U\x02\xc3\xa9.", "é"],
    ["bytes that are no UTF-8", "U\x02\xe9\x80.", "é\x80"],
    ["no text, with its length in 4 bytes", "T\0\0\0\0.", ""],
    ["Unicode text", "X\x02\0\0\0\xc3\xa9.", "é"],
    ["short Unicode text", "\x8c\x02\xc3\xa9.", "é"],
    ["long Unicode text", "\x8d\x02\0\0\0\0\0\0\0\xc3\xa9.", "é"],
    ["a mark of byte order", "\x8c\x04\xef\xbb\xbfa.", "\ufeffa"],
    ["bytes", "B\x02\0\0\0\xc3\xa9.", Uint8Array.of(0xc3, 0xa9)],
    ["short bytes", "C\x02\xc3\xa9.", Uint8Array.of(0xc3, 0xa9)],
    ["long bytes", "\x8e\x02\0\0\0\0\0\0\0\xc3\xa9.", Uint8Array.of(0xc3, 0xa9)],
    ["an array of bytes", "\x96\x02\0\0\0\0\0\0\0\xc3\xa9.", Uint8Array.of(0xc3, 0xa9)],
    // Containers
    ["an empty tuple", ").", []],
    ["an empty list", "].", []],
    ["an empty dict", "}.", new Map()],
    ["an empty set", "\x8f.", new Set()],
    ["a tuple of 1", "K\x01\x85.", [1]],
    ["a tuple of 2", "K\x01K\x02\x86.", [1, 2]],
    ["a tuple of 3", "K\x01K\x02K\x03\x87.", [1, 2, 3]],
    ["a tuple from a mark", "(K\x01K\x02t.", [1, 2]],
    ["a list from a mark", "(K\x01K\x02l.", [1, 2]],
    [
      "a dict from a mark",
      "(K\x01K\x02K\x03K\x04d.",
      new Map([
        [1, 2],
        [3, 4],
      ]),
    ],
    ["a frozen set", "(K\x01K\x02K\x01\x91.", new Set([1, 2])],
    ["a list that grows", "]K\x01a(K\x02K\x03e(e.", [1, 2, 3]],
    [
      "a dict that grows",
      "}K\x01K\x02s(K\x03K\x04K\x05K\x06u(u.",
      new Map([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    ],
    ["a set that grows", "\x8f(K\x01K\x02\x90(K\x02\x90.", new Set([1, 2])],
    ["lists in a list", "](](K\x01](K\x02eee.", [[1, [2]]]],
    // The stack and the memo
    ["the last value twice", "K\x05" + "2\x86.", [5, 5]],
    ["a value less", "K\x05K\x06" + "0.", 5],
    ["a mark less", "K\x05(0.", 5],
    ["the values after a mark less", "K\x05(K\x06K\x07" + "1.", 5],
    ["values by number", "(K\x05p12\nK\x06q\x0dK\x07r\x0e\x01\0\0g12\nh\x0dj\x0e\x01\0\0t.", [5, 6, 7, 5, 6, 7]],
    ["values in turn", "(K\x05\x94K\x06\x94h\x01h\0t.", [5, 6, 6, 5]],
    ["a frame", "\x80\x04\x95\x03\0\0\0\0\0\0\0K\x05.", 5],
    ["protocol 5", "\x80\x05N.", null],
    // Objects
    ["a call", "cm\nf\n(K\x01K\x02tR.", { name: "f", args: [1, 2] }],
    ["a call of a name on the stack", "\x8c\x01m\x8c\x01f\x93)R.", { name: "f", args: [] }],
    ["a new object", "cm\nf\nK\x01\x85\x81.", { name: "f", args: [1] }],
    [
      "a new object with keywords",
      "cm\nf\nK\x01\x85}\x8c\x01kK\x02s\x92.",
      { name: "f", args: [[1], new Map([["k", 2]])] },
    ],
    ["a new object with none of them", "cm\nf\nK\x01\x85}\x92.", { name: "f", args: [1] }],
    ["an object of protocol 0", "(K\x01K\x02im\nf\n.", { name: "f", args: [1, 2] }],
    ["an object of protocol 1", "(cm\nf\nK\x01K\x02o.", { name: "f", args: [1, 2] }],
    ["a persistent id of protocol 0", "Pkey\n.", { id: "key" }],
    ["a persistent id", "K\x07Q.", { id: 7 }],
    ["a dict whose state is dropped", "}}K\x01K\x02sb.", new Map()],
  ])("of %s", (_, text, expected) => {
    expect(load(text)).toEqual(expected);
  });

  it("sets, appends and builds what is inert", () => {
    const inert = load("cm\ninert\n(K\x01tRK\x02a(K\x03K\x04eK\x05K\x06s}b.");
    expect(inert).toMatchObject({ path: "inert", args: [1], items: [2, 3, 4, 5, 6], state: new Map() });
  });

  it("gives objects that stand for themselves wherever they are recalled", () => {
    const [first, second] = load("]q\0h\0\x86.") as [unknown, unknown];
    expect(first).toBe(second);
  });

  it("does not keep the bytes of the file", () => {
    const file = bytesOf("C\x02ab.");
    const { value, length } = unpickle(at, file, hooks);
    file.fill(0);
    expect([value, length]).toEqual([bytesOf("ab"), 5]);
  });

  it("tells where it ends, whatever follows", () => {
    expect(unpickle(at, bytesOf("N.N.rest"), hooks).length).toBe(2);
  });
});

describe("a pickle with a damaged step", () => {
  it.each<[string, string]>([
    ["an int with a letter", "I1x2\n."],
    ["an int after a space", "I 1\n."],
    ["an int without digits", "I\n."],
    ["a long with two signs", "L+-1L\n."],
    ["a decimal of 1025 digits", `L${"0".repeat(1023)}42\n.`],
    ["a long of 1025 bytes", `\x8b\x01\x04\0\0\x05${"\0".repeat(1024)}.`],
    ["a long of a negative length", "\x8b\xff\xff\xff\xff."],
    ["a negative length that leads back to an end", "C\x02N.\x8b\xf9\xff\xff\xff"],
    ["a float of words", "Fone\n."],
    ["a float of nothing", "F\n."],
    ["a float with more before it", "Fx1\n."],
    ["a float with more behind it", "F1x\n."],
    ["a float without an exponent", "F1e\n."],
    ["a float that is a property of objects", "FtoString\n."],
    ["a float of 401 digits", `F${"1".repeat(401)}\n.`],
    ["text without quotes", "Sab\n."],
    ["text with its first quote only", "S'ab\n."],
    ["text with its last quote only", "Sab'\n."],
    ["text with two kinds of quotes", "S'ab\"\n."],
    ["text between letters", "Sxax\n."],
    ["text of one quote", "S'\n."],
    ["text that is no UTF-8", "\x8c\x01\xff."],
    ["a line that is no UTF-8", "V\xff\n."],
    ["a tuple of what is not there", "K\x01\x86."],
    ["a tuple without a mark", "K\x01t."],
    ["a tuple over a mark", "K\x01(K\x02\x86."],
    ["a dict of three items", "(K\x01K\x02K\x03d."],
    ["an append to a number", "K\x01K\x02a."],
    ["items of a number", "K\x01K\x02K\x03s."],
    ["items of a list", "]K\x02K\x03s."],
    ["an addition to a list", "](K\x01\x90."],
    ["a discarded mark too many", "0."],
    ["a memo of nothing", "q\0."],
    ["a value that was not stored", "K\x01q\x01h\0."],
    ["a global with a number for its module", "K\x01\x8c\x01f\x93."],
    ["a global with a number for its name", "\x8c\x01mK\x01\x93."],
    ["a call of a number", "K\x01)R."],
    ["a call with a number", "cm\nf\nK\x01R."],
    ["a new object with a number for its arguments", "cm\nf\nK\x01}\x92."],
    ["a new object with a number for its keywords", "cm\nf\n)K\x01\x92."],
    ["an object of nothing", "(o."],
    ["the state of a number", "K\x01}b."],
    ["an unknown step", "\x01."],
    ["nothing on its stack at the end", "."],
    ["a value below its last mark at the end", "K\x01(."],
  ])("%s is refused", async (_, text) => {
    expect((await refused(text)).code).toBe("corrupt-file");
  });

  it("may have a float of 400 digits", () => {
    expect(load(`F${"0".repeat(398)}42\n.`)).toBe(42);
  });

  it.each([
    "I12",
    "K",
    "M\x01",
    "J\x01\x02\x03",
    "G1234567",
    "X\x02\0\0\0a",
    "\x8d\xff\xff\xff\xff\xff\xff\xff\xffab",
    "N",
    "",
  ])("that ends in the middle is refused: %j", async (text) => {
    expect((await refused(text)).code).toBe("corrupt-file");
  });

  it("of a newer protocol is not supported", async () => {
    expect((await refused("\x80\x06N.")).code).toBe("unsupported-file");
  });
});
