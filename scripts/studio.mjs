/**
 * Builds the studio into studio/dist, a static folder for any web server, and serves it on localhost.
 *
 *   npm run studio [-- --build]      --build leaves it at the folder
 */
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

// What calls this may be meant for something else, such as tests.
const env = { ...process.env, NODE_ENV: "production" };

function run(program, ...args) {
  const { status } = spawnSync(process.execPath, [join(root, program), ...args], { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

run("studio/scripts/assets.mjs");
run("node_modules/vite/bin/vite.js", "build", "studio", "--logLevel", "warn");
console.log("studio: the page is in studio/dist");
if (!process.argv.includes("--build")) run("node_modules/vite/bin/vite.js", "preview", "studio", "--open");
