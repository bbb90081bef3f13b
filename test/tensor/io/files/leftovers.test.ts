import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { io } from "@fcn/tensor";
import { afterEach, beforeEach, expect, it } from "vitest";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "fcn-leftovers-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const TENSOR = new URL("../../../../packages/tensor/dist/index.js", import.meta.url);

/** A process that is killed while it writes `path`. */
function killWhileWriting(path: string): void {
  const program = `
    import { io } from ${JSON.stringify(TENSOR.href)};
    const file = await io.createNpy(${JSON.stringify(path)}, { dtype: "float32", shape: [4] });
    await file.write(new Float32Array(2), 0);
    process.kill(process.pid, "SIGKILL");`;
  const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: fileURLToPath(new URL(".", TENSOR)),
  });
  expect(signal).toBe("SIGKILL");
}

it("removes what a killed process left, and nothing else", async () => {
  const running = await io.createNpy(at("running.npy"), { dtype: "float32", shape: [1] });
  const [own] = await readdir(folder);
  killWhileWriting(at("a.npy"));
  const [left = ""] = (await readdir(folder)).filter((name) => name !== own);
  expect(left).toMatch(/^a\.npy\..*\.tmp$/);
  const elsewhere = left.replace(/\.[0-9a-f]{8}-/, ".00000000-");
  const kept = ["a.npy.tmp", "notes.tmp", elsewhere, `${left}.txt`];
  for (const name of kept) await writeFile(at(name), "x");
  const asFolder = left.replace("a.npy", "folder");
  await mkdir(at(asFolder));
  await io.removeLeftovers(folder);
  expect((await readdir(folder)).sort()).toEqual([asFolder, own, ...kept].sort());
  await running.write(new Float32Array(1), 0);
  await running.finish();
  expect(await readdir(folder)).toContain("running.npy");
});

it("removes what an earlier process of its own number left", async () => {
  const [earlier, own] = [await io.temporaryName(at("earlier")), await io.temporaryName(at("own"))];
  for (const name of [earlier, own]) await writeFile(name, "x");
  const yesterday = Date.now() / 1000 - 86_400;
  await utimes(earlier, yesterday, yesterday);
  await io.removeLeftovers(folder);
  expect((await readdir(folder)).map(at)).toEqual([own]);
});

it("has nothing to do in a folder that is not there", async () => {
  await expect(io.removeLeftovers(at("none"))).resolves.toBeUndefined();
});

it("removes temporary folders that a killed process left, when the next one is made", async () => {
  const program = `
    import { makeTemporaryFolder } from ${JSON.stringify(new URL("internal.js", TENSOR).href)};
    import { writeFileSync } from "node:fs";
    const { path } = await makeTemporaryFolder("test");
    writeFileSync(path + "/a", "a");
    process.kill(process.pid, process.argv[1]);`;
  const env = { ...process.env, TMPDIR: folder };
  const run = (signal: string) => spawnSync(process.execPath, ["--input-type=module", "-e", program, signal], { env });
  expect(run("SIGKILL").signal).toBe("SIGKILL");
  const [left] = await readdir(folder);
  expect(left).toMatch(/^fcn\..*\.tmp$/);
  expect(run("SIGKILL").signal).toBe("SIGKILL");
  const next = await readdir(folder);
  expect(next).toHaveLength(1);
  expect(next).not.toContain(left);
});
