// Lint for the direction of imports (fcn -> tensor -> kernels), their cycles and dependencies, WebGPU at one place,
// browser-safe packages, small files, and short lines of comments.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkArrows } from "./lib/arrows.mjs";
import { checkComments } from "./lib/comments.mjs";
import { listFiles } from "./lib/files.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const files = [];
const dependencies = {};
for (const name of readdirSync(join(root, "packages"))) {
  const manifest = JSON.parse(readFileSync(join(root, "packages", name, "package.json"), "utf8"));
  const { dependencies: always, optionalDependencies, peerDependencies } = manifest;
  dependencies[name] = Object.keys({ ...always, ...optionalDependencies, ...peerDependencies });
  const source = join(root, "packages", name, "src");
  for (const path of listFiles(source, (file) => file.endsWith(".ts") && !file.endsWith(".generated.ts"))) {
    files.push({ path: `packages/${name}/src/${path}`, text: readFileSync(join(source, path), "utf8") });
  }
}
const problems = checkArrows(files, dependencies);
const written = (file) => /\.(mjs|ts|wgsl)$/.test(file) && !file.endsWith(".generated.ts");
for (const folder of ["bench", "scripts", "packages", "test"]) {
  for (const path of listFiles(join(root, folder), written).filter((name) => !/(^|\/)dist\//.test(name))) {
    problems.push(...checkComments(`${folder}/${path}`, readFileSync(join(root, folder, path), "utf8")));
  }
}
for (const problem of problems) console.error(problem);
console.log(`check-arrows: ${files.length} files, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
