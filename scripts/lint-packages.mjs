// Checks the packages as they are shipped: publint reads their manifests, attw resolves their types as compilers do,
// and knip looks in the workspace for exports and dependencies that nothing uses, and for those that nothing names.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "./fresh/registry.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a tool; what it printed is shown where it fails. */
function tool(name, path, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "node_modules", path), ...args], {
    cwd: root,
    encoding: "utf8",
  });
  console.log(`lint-packages: ${name}: ${status === 0 ? "clean" : "FAILED"}`);
  if (status !== 0) console.log(stdout + stderr);
  return status === 0;
}

const folder = mkdtempSync(join(tmpdir(), "fcn-lint-"));
try {
  const results = [tool("knip", "knip/bin/knip.js", "--treat-config-hints-as-errors")];
  // The build is there already.
  for (const { name, file } of await pack(root, folder, "--ignore-scripts")) {
    // A suggestion asks for conditions of exports in place of the field `browser`, which leaves out another package.
    results.push(tool(`publint ${name}`, "publint/src/cli.js", "run", file, "--strict", "--level=warning"));
    // The packages have modules only, so that what `require` and compilers before 2022 resolve does not count.
    results.push(tool(`attw ${name}`, "@arethetypeswrong/cli/dist/index.js", file, "--profile=esm-only"));
  }
  process.exitCode = results.every(Boolean) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
