/**
 * Builds the site of the documentation into out/docs, a static folder for any web server.
 *
 *   npm run docs [-- --serve]      --serve shows it on localhost
 *
 * What is written by hand lies in docs/. The pages in docs/reference are made here: the API from the comments of the
 * exports (TypeDoc), the command line from the help of `fcn`, the error codes from the comments in errorCodes.ts, the
 * kernels from the files of packages/kernels/src. The studio is built too, and lies beside them under /studio/.
 * DOCS_BASE=/path/ builds for a path below the root of a server. A link to a page that is missing fails the build.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { kernelPages } from "./lib/kernel-pages.mjs";
import { commandLinePage, errorCodesPage } from "./lib/reference-pages.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const reference = join(root, "docs/reference");

function run(program, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, program), ...args], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run(
  "node_modules/typedoc/bin/typedoc",
  "--options",
  "docs/.vitepress/typedoc.json",
  "--logLevel",
  "Warn",
  "--treatWarningsAsErrors",
);
mkdirSync(join(reference, "kernels"), { recursive: true });
writeFileSync(join(reference, "command-line.md"), await commandLinePage());
writeFileSync(join(reference, "error-codes.md"), errorCodesPage());
for (const [name, text] of await kernelPages()) writeFileSync(join(reference, "kernels", name), text);
run("node_modules/vitepress/bin/vitepress.js", "build", "docs");
run("scripts/studio.mjs", "--build");
cpSync(join(root, "studio/dist"), join(root, "out/docs/studio"), { recursive: true });
console.log("docs: the site is in out/docs");
if (process.argv.includes("--serve")) run("node_modules/vitepress/bin/vitepress.js", "preview", "docs");
