import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { io } from "@fcn/tensor";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-temporary-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("withTemporary", () => {
  it("gives each call a file of its own, which gets the name at the end", async () => {
    const path = join(folder, "a");
    const write = (text: string) =>
      io.withTemporary("test", path, async (temporary) => {
        await writeFile(temporary, text, { flag: "wx" });
        return temporary;
      });
    const [one, other] = await Promise.all([write("one"), write("other")]);
    expect(one).not.toBe(other);
    expect(["one", "other"]).toContain(await readFile(path, "utf8"));
    expect(await readdir(folder)).toEqual(["a"]);
  });

  it("leaves nothing where the work fails, or where a signal ends the program", async () => {
    const failing = io.withTemporary("test", join(folder, "a"), async (temporary) => {
      await writeFile(temporary, "half");
      throw new Error("stop");
    });
    await expect(failing).rejects.toThrow("stop");
    expect(await readdir(folder)).toEqual([]);
    const ended = io.withTemporary("test", join(folder, "a"), async (temporary) => {
      await writeFile(temporary, "half");
      io.removeUnfinished();
    });
    await expect(ended).rejects.toMatchObject({ code: "unwritable-file" });
    expect(await readdir(folder)).toEqual([]);
  });

  it("refuses a folder before the work", async () => {
    const path = join(folder, "a");
    await mkdir(path);
    const asked: string[] = [];
    const failing = io.withTemporary("test", path, async (temporary) => asked.push(temporary));
    await expect(failing).rejects.toMatchObject({
      code: "unwritable-file",
      message: `test: cannot write ${path}: it is a folder, not a file`,
    });
    expect(asked).toEqual([]);
  });
});
