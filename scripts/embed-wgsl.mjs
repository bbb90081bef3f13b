// Writes packages/kernels/src/wgsl.generated.ts: every .wgsl file below that folder as a constant that is named by its
// path.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles, writeIfChanged } from "./lib/files.mjs";
import { wgslModule } from "./lib/wgsl-module.mjs";

const source = join(dirname(fileURLToPath(import.meta.url)), "../packages/kernels/src");
const shaders = listFiles(source, (name) => name.endsWith(".wgsl")).map((path) => ({
  path,
  source: readFileSync(join(source, path), "utf8"),
}));
if (writeIfChanged(join(source, "wgsl.generated.ts"), wgslModule(shaders))) {
  console.log(`embed-wgsl: ${shaders.length} shaders`);
}
