// Run by npm in the folder of a package before it is packed: the package is built anew, so that no output of deleted
// sources is shipped.
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

rmSync(join(process.cwd(), "dist"), { recursive: true, force: true });
for (const script of [["scripts/generate.mjs"], ["node_modules/@typescript/native/bin/tsc", "-b", "packages/fcn"]]) {
  // Standard output is npm's own, which may be JSON.
  const { status } = spawnSync(process.execPath, script, { cwd: root, stdio: ["ignore", 2, "inherit"] });
  if (status !== 0) process.exit(status ?? 1);
}
