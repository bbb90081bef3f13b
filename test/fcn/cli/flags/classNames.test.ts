import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { classNames } from "../../../../packages/fcn/src/cli/flags/classNames.js";
import { temporaryFolder } from "../../data/trees.js";

const root = await temporaryFolder("class-names");

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await writeFile(path, content);
  return path;
}

describe("--classes", () => {
  it.each<[string, string | Uint8Array]>([
    ["list.json", '["sky", "sea"]'],
    ["marked.json", '\uFEFF["sky", { "name": "sea" }]'],
    ["object.json", '{ "classes": ["sky", { "name": "edge", "ignore": true }, "sea"] }'],
    ["list.txt", ' [\n"sky", "sea"]'],
    ["lines.txt", "\uFEFFsky\r\n\r\n sea \r\n"],
    ["lines", "sky\nsea\n"],
    ["utf16.txt", Buffer.from("\uFEFFsky\nsea\n", "utf16le")],
  ])("takes the file %s", async (name, content) => {
    expect(await classNames(await file(name, content))).toEqual(["sky", "sea"]);
  });

  it("takes names, however many, and with a slash or the name of a folder", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `class ${i}`);
    expect(await classNames(many.join(", "))).toEqual(many);
    expect(await classNames("car/truck,sea")).toEqual(["car/truck", "sea"]);
    // A folder of the repository, where tests run.
    expect(await classNames("test")).toEqual(["test"]);
  });

  it.each([
    ["broken.json", '["a",\n"b",\n"c",]', /broken\.json: it is not JSON/],
    ["broken.txt", '["a",\n"b",\n"c",]', /broken\.txt: it is not JSON/],
    ["lines.json", "sky\nsea\n", /lines\.json: it is not JSON/],
    ["other", '{ "names": ["sky"] }', /holds no list of classes/],
    ["null.json", "null", /holds no list of classes/],
    ["empty.txt", "", /it is empty/],
    ["unnamed.json", '["sky", 3]', /entry 1 is 3, neither a name nor/],
    ["deep.json", `[{ "name": ${"[".repeat(20_000)}${"]".repeat(20_000)} }]`, /entry 0 has no name/],
    ["same.txt", "a\na\n", /--classes is /],
  ])("refuses the file %s", async (name, content, problem) => {
    await expect(classNames(await file(name, content))).rejects.toThrow(problem);
  });

  it.each(["clases.json", "clases.TXT", join(root, "clases")])(
    "takes no mistyped path, %s, as a class",
    async (path) => {
      await expect(classNames(path)).rejects.toMatchObject({
        code: "missing-data",
        message: `${path}: it does not exist`,
      });
    },
  );
});
