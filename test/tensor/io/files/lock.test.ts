import fs from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, vi } from "vitest";
import { removeStale, withFileLock } from "../../../../packages/tensor/src/io/files/lock.js";
import { temporaryFolder } from "../../../fcn/data/trees.js";

const root = await temporaryFolder("file-lock");
const BEAT = 10_000;
const OTHER = JSON.stringify({ pid: 1, host: "elsewhere" });

const refuse = (): never => {
  throw new Error("held");
};

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a file lock", () => {
  it("keeps others out, also of this process, and goes with its holder", async () => {
    const path = join(root, "own.lock");
    await withFileLock("test", path, refuse, async () => {
      await expect(withFileLock("test", path, refuse, async () => {})).rejects.toThrow("held");
    });
    await expect(fs.access(path)).rejects.toThrow("ENOENT");
  });

  it("lets those wait that want to", async () => {
    const path = join(root, "wait.lock");
    let [inside, most] = [0, 0];
    const use = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await sleep(5);
      inside--;
    };
    const all = Array.from({ length: 4 }, () => withFileLock("test", path, () => sleep(1), use));
    await Promise.all(all);
    expect(most).toBe(1);
  });

  it("stays when another has taken it over", async () => {
    const path = join(root, "other.lock");
    await withFileLock("test", path, refuse, () => fs.writeFile(path, OTHER));
    expect(await fs.readFile(path, "utf8")).toBe(OTHER);
  });

  it("shows signs of life for its holder only", async () => {
    const path = join(root, "beat.lock");
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const isTouched = async (): Promise<boolean> => {
      await fs.utimes(path, 1, 1);
      vi.advanceTimersByTime(BEAT);
      await sleep(100);
      return (await fs.stat(path)).mtimeMs > 1000;
    };
    await withFileLock("test", path, refuse, async () => {
      expect(await isTouched()).toBe(true);
      await fs.writeFile(path, OTHER);
      expect(await isTouched()).toBe(false);
    });
  });

  it("names the file where it cannot be written", async () => {
    const path = join(root, "absent", "a.lock");
    const failed = withFileLock("test", path, refuse, async () => {});
    await expect(failed).rejects.toMatchObject({
      code: "unwritable-file",
      message: `test: cannot write ${path}: its folder does not exist`,
    });
  });

  it.each(["with hard links", "without"])(
    "is put back where it is not the stale one, on a file system %s",
    async (kind) => {
      const path = join(root, "meanwhile.lock");
      if (kind === "without") vi.spyOn(fs, "link").mockRejectedValue(Object.assign(new Error("no"), { code: "EPERM" }));
      await fs.writeFile(path, OTHER);
      await removeStale(path, "stale");
      expect(await fs.readFile(path, "utf8")).toBe(OTHER);
      await removeStale(path, OTHER);
      expect((await fs.readdir(root)).filter((name) => name.includes("meanwhile"))).toEqual([]);
    },
  );
});
