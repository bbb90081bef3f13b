import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { findPackage } from "../../../packages/fcn/src/files/findPackage.js";
import { temporaryFolder } from "../data/trees.js";

const before = process.cwd();
afterEach(() => process.chdir(before));

async function install(name: string, project: string): Promise<string> {
  const folder = join(project, "node_modules", name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name, exports: {} }));
  return folder;
}

it("finds a package from the working folder and from those above it, before the one that the library sees", async () => {
  const project = await realpath(await temporaryFolder("fcn-project"));
  const below = join(project, "photos");
  await mkdir(below);
  process.chdir(below);
  expect(await findPackage("fcn-test-pictures")).toBeUndefined();
  expect(await findPackage("three-globe")).toMatch(/node_modules.three-globe$/);
  expect(await findPackage("three-globe")).not.toContain(project);
  for (const name of ["fcn-test-pictures", "three-globe"]) {
    const folder = await install(name, project);
    expect(await findPackage(name)).toBe(folder);
  }
});

it("takes a folder without a manifest for none", async () => {
  const project = await temporaryFolder("fcn-project");
  await mkdir(join(project, "node_modules/fcn-test-pictures"), { recursive: true });
  process.chdir(project);
  expect(await findPackage("fcn-test-pictures")).toBeUndefined();
});
