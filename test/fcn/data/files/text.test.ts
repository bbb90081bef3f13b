import { Buffer } from "node:buffer";
import { chmod, mkdir, open as openFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { data } from "@fcn/core";
import { beforeEach, describe, expect, it } from "vitest";
import { classNames } from "../../../../packages/fcn/src/cli/flags/classNames.js";
import { readJson, readText } from "../../../../packages/fcn/src/data/files/files.js";
import { refusal } from "../../../support/refusals.js";
import { greyPng, jpeg, temporaryFolder, writeTree } from "../trees.js";

const base = await temporaryFolder("text");
const photo = await jpeg(6, 8, 1);
const mask = greyPng(6, 8, (x) => (x < 4 ? 0 : 1));
let root = "";
let count = 0;
beforeEach(() => {
  root = join(base, String(count++));
});

/** 背景 and 汽车 in GBK, sky and été in Windows-1252, そら in Shift_JIS, 하늘 in EUC-KR, небо in Windows-1251. */
const FOREIGN = {
  GBK: [0xb1, 0xb3, 0xbe, 0xb0, 0x0a, 0xc6, 0xfb, 0xb3, 0xb5],
  "WINDOWS-1252": [0x73, 0x6b, 0x79, 0x0a, 0xe9, 0x74, 0xe9],
  SHIFT_JIS: [0x82, 0xbb, 0x82, 0xe7],
  "EUC-KR": [0xc7, 0xcf, 0xb4, 0xc3],
  "WINDOWS-1251": [0xed, 0xe5, 0xe1, 0xee],
} as const;
const gbk = Uint8Array.from(FOREIGN.GBK);
const quoted = (bytes: Uint8Array, before: string, after: string): Uint8Array =>
  Buffer.concat([Buffer.from(before), bytes.filter((byte) => byte !== 0x0a), Buffer.from(after)]);

const labelme = (label: Uint8Array): Uint8Array =>
  quoted(
    label,
    '{"imagePath":"a.jpg","imageHeight":6,"imageWidth":8,"shapes":[{"points":[[0,0],[4,0],[4,6]],"label":"',
    '"}]}',
  );

describe("text in another encoding", () => {
  it.each(Object.entries(FOREIGN))("is refused with the first wrong byte and iconv: %s", async (encoding, bytes) => {
    await writeTree(root, { "names.txt": Uint8Array.from(bytes) });
    const file = join(root, "names.txt");
    const { code, message, fix } = await refusal(readText(file));
    expect(code).toBe("corrupt-file");
    const offset = bytes.findIndex((byte) => byte > 0x7f);
    const line = bytes.slice(0, offset).includes(0x0a as never) ? 2 : 1;
    const wrong = bytes[offset]?.toString(16);
    expect(message).toBe(
      `${file}: it is not UTF-8 text: byte ${offset} (0x${wrong}, in line ${line}) is invalid; it looks like ${encoding}`,
    );
    expect(fix).toBe(
      `save it as UTF-8: iconv -f ${encoding} -t UTF-8 ${file} > utf8.txt, then put utf8.txt in its place, and likewise all others of the same source`,
    );
  });

  it("is only given as an example where the language does not show", async () => {
    await writeTree(root, { "my names.txt": Uint8Array.of(0x41, 0xff, 0xff, 0x80) });
    const { message, fix } = await refusal(readText(join(root, "my names.txt")));
    expect(message).toContain("byte 1 (0xff, in line 1)");
    expect(fix).toMatch(/for example, where it is .*: iconv -f .* '.*my names\.txt' > utf8\.txt/);
  });

  it.each([
    ["UTF-16LE", [0x73, 0, 0x6b, 0, 0x79, 0]],
    ["UTF-16BE", [0, 0x73, 0, 0x6b, 0, 0x79]],
    ["UTF-32", [0xff, 0xfe, 0, 0, 0x73, 0, 0, 0]],
  ])("is named for %s without what would tell it", async (encoding, bytes) => {
    await writeTree(root, { "names.txt": Uint8Array.from(bytes) });
    expect((await refusal(readText(join(root, "names.txt")))).fix).toContain(`iconv -f ${encoding} `);
  });

  it.each([
    ["UTF-8", Buffer.from("\ufeffsky\nmar\u00e9e")],
    ["UTF-16LE", Buffer.from("\ufeffsky\nmar\u00e9e", "utf16le")],
    ["UTF-16BE", Buffer.from("\ufeffsky\nmar\u00e9e", "utf16le").swap16()],
  ])("is read where a byte order mark tells %s", async (_, bytes) => {
    await writeTree(root, { "names.txt": bytes });
    expect(await readText(join(root, "names.txt"))).toBe("sky\nmar\u00e9e");
  });

  it("is refused where the last character of UTF-8 or UTF-16 is cut in two", async () => {
    await writeTree(root, { "a.txt": Uint8Array.of(0x41, 0xc3), "b.txt": Uint8Array.of(0xff, 0xfe, 0x41) });
    for (const name of ["a.txt", "b.txt"]) {
      expect((await refusal(readText(join(root, name)))).code).toBe("corrupt-file");
    }
  });

  const pairs = { "images/a.jpg": photo, "masks/a.png": mask };
  it.each<[string, Record<string, Uint8Array | string>]>([
    ["classes.json", { ...pairs, "classes.json": quoted(gbk, '["', '","b"]') }],
    ["class_names.txt", { ...pairs, "class_names.txt": gbk }],
    ["labelmap.txt", { ...pairs, "labelmap.txt": quoted(gbk, "", ":0,0,0::") }],
    ["splits/train.txt", { ...pairs, "splits/train.txt": gbk }],
    ["a.json", { "a.jpg": photo, "a.json": labelme(gbk) }],
    ["annotations/instances_train.json", { "annotations/instances_train.json": quoted(gbk, '{"images":["', '"]}') }],
    [
      "labels.txt",
      {
        "labels.txt": gbk,
        "trainval/a.mat": "",
        "VOC2010/JPEGImages/a.jpg": photo,
        "VOC2010/ImageSets/Main/train.txt": "a",
      },
    ],
    ["train.txt", { "img/a.jpg": photo, "cls/a.mat": "", "train.txt": gbk }],
  ])("is refused by every reader of text: %s", async (name, files) => {
    await writeTree(root, files);
    const { message, fix, commandFix = fix } = await refusal(data.open(root));
    expect(message).toContain(`${join(root, name)}: it is not UTF-8 text: byte `);
    expect(commandFix).toContain("iconv -f GBK -t UTF-8");
  });

  it("is refused in the file of --classes", async () => {
    await writeTree(root, { "names.txt": gbk });
    await expect(classNames(join(root, "names.txt"))).rejects.toThrow("it is not UTF-8 text");
  });
});

describe("names that are not in UTF-8", () => {
  it("are told with the remedy, and do not hide the others", async () => {
    await writeTree(root, { "images/a.jpg": photo, "masks/a.png": mask });
    const name = Buffer.concat([Buffer.from(`${root}/images/`), Buffer.from([0xb1, 0xb3]), Buffer.from(".jpg")]);
    await writeFile(name, photo);
    const { remarks, splits } = await data.open(root);
    expect(splits.train?.length).toBe(1);
    const [told] = remarks.filter(({ code }) => code === "lost-name");
    expect(told).toMatchObject({
      level: "problem",
      text: expect.stringContaining("convmv -r -f GBK -t UTF-8 --notest"),
    });
  });

  it("are told where such a file is read", async () => {
    const { message, fix } = await refusal(readText(join(base, "\ufffd.txt")));
    expect(message).toContain("its name is not in UTF-8");
    expect(fix).toContain("convmv");
  });
});

describe("JSON that is none", () => {
  it.each([
    ['{"a": NaN}', "line 1, column 7: NaN is a word of Python", "allow_nan=False"],
    ['{"a":\n [1, -Infinity]}', "line 2, column 6: -Infinity is a word of Python", "write null or a number"],
    ['{"a": Infinity}', "Infinity is a word of Python", "allow_nan=False"],
    [
      '{"images": [{"id": 1}, {"id"',
      "line 1, column 29: it ends in the middle: it is cut off",
      "copy, download or export",
    ],
    ['{"a": "x', "it is cut off", "copy, download or export"],
    ['{"a": [1, 2,\n]}', "line 2, column 1: a comma before the closing ]", "remove the comma"],
    ['{"a": 1,}', "line 1, column 9: a comma before the closing }", "remove the comma"],
    ['{"a": 1}\n{"a": 2}\n', "line 2, column 1: another value begins after the first: it is JSON Lines", "jq -s ."],
    ["{'a': 1}", "column 2: names and texts are in single quotes", "json.dump"],
    ['{"a": True}', "column 7: True is a word of Python", "json.dump"],
    ["// mine\n{}", "line 1, column 1: a comment", "remove the comments"],
    ['{"a": 1 /* mine */}', "column 9: a comment", "remove the comments"],
    ['{"a": "x\ny"}', "column 9: a line break or tab inside a text", "\\n"],
    ["{a: 1}", 'column 2: unexpected "a"', "correct it there"],
    ['["\\x"]', 'column 4: unexpected "x"', "correct it there"],
    ["sky\nsea", 'line 1, column 1: unexpected "sky"', "correct it there"],
    ['{"a":1}}', 'column 8: unexpected "}"', "correct it there"],
  ])("is told by place, cause and remedy: %s", async (text, problem, remedy) => {
    await writeTree(root, { "a.json": text });
    const file = join(root, "a.json");
    const { code, message, fix } = await refusal(readJson(file));
    expect(code).toBe("corrupt-file");
    expect(message.startsWith(`${file}: it is not JSON: `)).toBe(true);
    expect(message).toContain(problem);
    expect(fix).toContain(remedy);
  });

  it.each(["", "\ufeff[1]"])("is an empty file, but not one with a byte order mark: %j", async (text) => {
    await writeTree(root, { "a.json": text });
    const file = join(root, "a.json");
    if (text === "") expect((await refusal(readJson(file))).message).toBe(`${file}: it is empty (0 bytes)`);
    else expect(await readJson(file)).toEqual([1]);
  });

  it("is named with its size and a remedy where it is longer than a text may be, before it is read", async () => {
    await mkdir(join(root, "annotations"), { recursive: true });
    const file = join(root, "annotations", "instances_train.json");
    const handle = await openFile(file, "w");
    await handle.truncate(600 * 2 ** 20);
    await handle.close();
    const { code, message, fix } = await refusal(data.open(root));
    expect(code).toBe("unsupported-file");
    expect(message).toContain(`${file}: it has 629145600 bytes (600 MiB)`);
    expect(fix).toContain("split the annotations into several files");
  });
});

const LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
const PAGE = "<!DOCTYPE html>\n<html><body>404</body></html>";

describe("files that are something else", () => {
  it.each([
    ["a Git LFS pointer", LFS, "git lfs pull"],
    ["a web page (HTML)", PAGE, "download the file itself"],
    ["a gzip archive", gzipSync("sky"), "gunzip"],
  ])("are named in place of text, JSON, an image, a mask and a .mat: %s", async (what, content, remedy) => {
    const bytes = new Uint8Array(Buffer.from(content as string));
    await writeTree(root, { "a.json": bytes, "names.txt": bytes });
    const found = [
      await refusal(readJson(join(root, "a.json"))),
      await refusal(readText(join(root, "names.txt"))),
      await refusal(data.decodeImage("a.jpg", bytes)),
      await refusal(data.decodeMask("a.png", bytes, data.indexRule(2))),
      await refusal(data.decodePng("a.png", bytes)),
      await refusal(data.readMat("a.mat", bytes)),
    ];
    for (const { message, fix } of found) {
      expect(message).toContain(`it is ${what}`);
      expect(fix).toContain(remedy);
    }
  });

  it("are named in a folder: pointers in place of a list and of masks", async () => {
    await writeTree(root, { "images/a.jpg": photo, "masks/a.png": mask, "splits/train.txt": LFS });
    expect(await refusal(data.open(root))).toMatchObject({
      message: expect.stringContaining("train.txt: it is a Git LFS pointer"),
      fix: expect.stringContaining("git lfs pull"),
    });
    await writeTree(root, { "splits/train.txt": "a", "masks/a.png": LFS });
    expect((await refusal(data.open(root))).fix).toContain("git lfs pull");
  });

  it("names images of kinds that are not read", async () => {
    const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from("ftypheic"), Buffer.alloc(40)]);
    const { message, fix } = await refusal(data.decodeImage("a.jpg", new Uint8Array(heic)));
    expect(message).toContain("a HEIC image");
    expect(fix).toBe("save it as JPEG or PNG");
  });

  it("names a folder in place of a file, and a file that may not be read", async () => {
    await mkdir(join(root, "a.json"), { recursive: true });
    expect((await refusal(readJson(join(root, "a.json")))).message).toContain("it is a folder, not a file");
    await writeTree(root, { "b.json": "{}" });
    await chmod(join(root, "b.json"), 0);
    if (process.getuid?.() !== 0) {
      expect((await refusal(readJson(join(root, "b.json")))).message).toContain("permission to read it is denied");
    }
  });
});

describe("names whose letters an earlier conversion lost", () => {
  it("are warned of, wherever they stand", async () => {
    await writeTree(root, { "images/a.jpg": photo, "masks/a.png": mask, "classes.json": '["sky", "stra\ufffde"]' });
    const { remarks } = await data.open(root);
    expect(remarks.filter(({ code }) => code === "lost-letters")).toMatchObject([
      { level: "warning", file: root, text: expect.stringContaining('("stra\ufffde")') },
    ]);
    await writeTree(root, { "classes.json": '["sky", "straße"]' });
    expect((await data.open(root)).remarks.some(({ code }) => code === "lost-letters")).toBe(false);
  });
});
