import { io, TensorError } from "@fcn/tensor";
import { decodeText, describeFault, recodeFix, type TextFault } from "@fcn/tensor/internal";
import { describe, expect, it } from "vitest";

describe("decodeText", () => {
  it.each([
    ["an ASCII text", [0x61, 0x62], "ab"],
    ["UTF-8 of 2, 3 and 4 bytes", [0xc3, 0xa9, 0xe7, 0x8c, 0xab, 0xf0, 0x9f, 0x90, 0x88], "é猫🐈"],
    ["a byte order mark", [0xef, 0xbb, 0xbf, 0x61], "a"],
    ["UTF-16 with its mark", [0xff, 0xfe, 0x61, 0x00], "a"],
    ["nothing", [], ""],
  ])("reads %s", (_, bytes, text) => {
    expect(decodeText(Uint8Array.from(bytes))).toBe(text);
  });

  it.each([
    ["a lone continuation", [0x61, 0x0a, 0x80], 2, 2],
    ["a character that is cut off", [0x61, 0xe7, 0x8c], 1, 1],
    ["a longer form than needed", [0x61, 0xc0, 0x80], 1, 1],
    ["a half of UTF-16", [0xed, 0xa0, 0x80], 0, 1],
    ["a character beyond Unicode", [0xf4, 0x90, 0x80, 0x80], 0, 1],
    ["a zero", [0x61, 0x00, 0x62], 1, 1],
  ])("tells where %s is", (_, bytes, offset, line) => {
    expect(decodeText(Uint8Array.from(bytes))).toMatchObject({ offset, line });
  });
});

/** Class lists as Python encodes them. */
const LISTS: Record<string, readonly [text: string, bytes: string]> = {
  SHIFT_JIS: ["道路\n空\n建物", "93b998480a8bf30a8c9a95a8"],
  "EUC-JP": ["犬\n自動車", "b8a40abcabc6b0bcd6"],
  "EUC-KR": ["배경\n사람", "b9e8b0e60abbe7b6f7"],
  BIG5: ["貓\n建築物", "bfdf0aabd8bf76aaab"],
  GBK: ["裂缝\n缺陷", "c1d1b7ec0ac8b1cfdd"],
  "WINDOWS-1251": ["Дорога\nНебо", "c4eef0eee3e00acde5e1ee"],
  "KOI8-R": ["Дорога\nНебо", "e4cfd2cfc7c10aeec5c2cf"],
  IBM866: ["кошка\nсобака", "aaaee8aaa00ae1aea1a0aaa0"],
  "WINDOWS-1250": ["łąka\nżółw", "b3b96b610abff3b377"],
  "WINDOWS-1254": ["köpek yeşil", "6bf670656b207965fe696c"],
  "WINDOWS-1253": ["γάτα", "e3dcf4e1"],
  "WINDOWS-1256": ["طريق\nسماء", "d8d1edde0ad3e3c7c1"],
  "WINDOWS-1252": ["Straße", "53747261df65"],
  MACINTOSH: ["Straße\nGebäude", "53747261a7650a4765628a756465"],
};

describe("the encoding of other text", () => {
  it.each(Object.entries(LISTS))("is told: %s", (encoding, [, hex]) => {
    expect(decodeText(Uint8Array.from(Buffer.from(hex, "hex")))).toMatchObject({ encoding, isSure: true, others: [] });
  });

  it("is one of several where the bytes do not tell, with all of them in the remedy", () => {
    // "кошка" in KOI8-R.
    const fault = decodeText(Uint8Array.from([0xcb, 0xcf, 0xdb, 0xcb, 0xc1])) as TextFault;
    expect(fault).toMatchObject({ encoding: "KOI8-R", isSure: false });
    expect(fault.others).toContain("WINDOWS-1251");
    expect(describeFault(fault)).not.toContain("looks like");
    expect(recodeFix("a.json", fault)).toMatch(
      /for example, where it is KOI8-R: iconv -f KOI8-R .* \(it may be WINDOWS-1251 or .* too: take what shows/,
    );
  });
});

describe("a model.json in another encoding", () => {
  it("is refused with the remedy", async () => {
    const bytes = Uint8Array.from(
      [...'{"a": "'].map((letter) => letter.charCodeAt(0)).concat([0xb1, 0xb3, 0x22, 0x7d]),
    );
    const error = await io.readTfjs(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({
      code: "corrupt-file",
      message: expect.stringContaining("it is not UTF-8 text: byte 7 (0xb1, in line 1) is invalid"),
      fix: expect.stringContaining("iconv -f GBK -t UTF-8"),
    });
  });
});
