import { io, TensorError } from "@fcn/tensor";
import { decodeText } from "@fcn/tensor/internal";
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

describe("a model.json in another encoding", () => {
  it("is refused with the remedy", async () => {
    const bytes = Uint8Array.from(
      [...'{"a": "'].map((letter) => letter.charCodeAt(0)).concat([0xb1, 0xb3, 0x22, 0x7d]),
    );
    const error = await io.readTfjs(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({
      code: "corrupt-file",
      message: expect.stringContaining("it is no text in UTF-8: byte 7 (0xb1, in line 1) is wrong"),
      fix: expect.stringContaining("iconv -f GBK -t UTF-8"),
    });
  });
});
