import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listWeights } from "@fcn/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fcn } from "../../../support/commandLine.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-weights-"));
});
afterAll(() => rm(folder, { recursive: true }));

const weights = (...args: string[]) => fcn(["weights", ...args], { env: { FCN_CACHE: folder } });

// Of these, neither size nor checksum is published, so that any file passes for them.
const UNCHECKED = "berkeley/fcn32s-heavy-pascal";
const FILE = "fcn32s-heavy-pascal.caffemodel";

describe("fcn weights", () => {
  it("lists all published weights, and which of them are here", async () => {
    await writeFile(join(folder, FILE), "x");
    const { code, stdout } = await weights("list");
    expect(code).toBe(0);
    for (const name of listWeights()) expect(stdout).toMatch(new RegExp(`^${name} .*(yes|no)$`, "m"));
    // Those of nsfwjs are here too, because the package is installed.
    expect(stdout.match(/ npm nsfwjs +yes$/gm)).toHaveLength(3);
    expect(stdout.match(/yes$/gm)).toHaveLength(4);
    const entries = JSON.parse((await weights("list", "--json")).stdout) as { name: string; isCached: boolean }[];
    expect(entries.filter(({ isCached }) => isCached).map(({ name }) => name)).toEqual([UNCHECKED]);
  });

  it("prints the path of what is here, by path and by fetch", async () => {
    await writeFile(join(folder, FILE), "x");
    for (const command of ["path", "fetch"]) {
      expect(await weights(command, UNCHECKED)).toEqual({ code: 0, stdout: `${join(folder, FILE)}\n`, stderr: "" });
      const { stdout } = await weights(command, UNCHECKED, "--json");
      expect(JSON.parse(stdout)).toMatchObject({ path: join(folder, FILE), cached: true, entry: { name: UNCHECKED } });
    }
  });

  it("says what to put where if it is not here", async () => {
    const { code, stdout, stderr } = await weights("path", "torchvision/resnet18");
    expect([code, stdout]).toEqual([1, ""]);
    const file = join(folder, "resnet18-f37072fd.pth");
    expect(stderr.split("\n")).toEqual([
      `error: weights torchvision/resnet18: ${file} is not there`,
      "fix: fcn weights fetch torchvision/resnet18, or get https://download.pytorch.org/models/resnet18-f37072fd.pth on another machine and put it there",
      "",
    ]);
  });

  it("refuses a file that is not the published one, and names that there are not", async () => {
    await writeFile(join(folder, "resnet18-f37072fd.pth"), "x");
    const wrong = await weights("path", "torchvision/resnet18");
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(
      /^error: torchvision\/resnet18: .*it has 1 bytes, published are 44.661 MiB\nfix: delete /,
    );
    const unknown = await weights("fetch", "torchvision/resnet19");
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(
      /^error: .*no weights called "torchvision\/resnet19"\nfix: did you mean torchvision\/resnet18, .* or .*\? fcn weights list /,
    );
  });
});
