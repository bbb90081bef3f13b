import { gzipSync } from "node:zlib";
import { guessContent } from "@fcn/tensor/internal";
import { describe, expect, it } from "vitest";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

describe("guessContent", () => {
  const known: [what: string, start: Uint8Array][] = [
    ["a web page (HTML)", bytes("\n<!DOCTYPE html><html><title>404</title>")],
    ["a web page (HTML)", bytes("\ufeff<html>")],
    ["a Git LFS pointer", bytes("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n")],
    ["a gzip archive", gzipSync(bytes("weights"))],
    ["a zip archive", latin("PK\x03\x04\x14\0")],
    ["a PNG image", latin("\x89PNG\r\n\x1a\n\0\0")],
    ["a BMP image", latin("BM\x46\0\0\0\0\0\0\0")],
    ["a WebP image", latin("RIFF\x0a\0\0\0WEBPVP8 ")],
    ["a TIFF image", latin("MM\0*\0\0\0\x08")],
    ["a Python pickle", latin("\x80\x02}q\0")],
    ["a JSON file", bytes('{ "shapes": [] }')],
    ["an HDF5 file", latin("\x89HDF\r\n\x1a\n")],
  ];
  for (const [what, start] of known) it(`sees ${what}`, () => expect(guessContent(start)?.what).toBe(what));

  it("sees a tar archive, whose mark is not at its beginning", () => {
    const tar = new Uint8Array(512);
    tar.set(bytes("net/weights.bin"));
    tar.set(bytes("ustar"), 257);
    expect(guessContent(tar)).toEqual({ what: "a tar archive", fix: "unpack it: tar xf" });
  });

  it("says what to do with what stands for the file that was meant", () => {
    expect(guessContent(bytes("version https://git-lfs.github.com/spec/v1"))?.fix).toContain("git lfs pull");
    expect(guessContent(bytes("<html>"))?.fix).toContain("download the file itself");
  });

  it("says nothing of bytes that say nothing", () => {
    for (const start of ["", "sky\nroad\n", "BM is a word"]) expect(guessContent(bytes(start))).toBeUndefined();
  });
});
