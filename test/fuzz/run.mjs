/** `npm run fuzz`: bundles the fuzz run, which is TypeScript, and starts it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** The packages stay as they are built, so that their functions are counted where they lie. */
const packages = {
  name: "packages",
  setup({ onResolve }) {
    onResolve({ filter: /packages\/.*\/src\// }, ({ path, resolveDir }) => {
      const built = join(resolveDir, path).replace(/(packages\/\w+\/)src\//, "$1dist/");
      return { path: pathToFileURL(built).href, external: true };
    });
    // Helpers of the tests that are used here need no test runner.
    onResolve({ filter: /^vitest$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};

await build({
  entryPoints: [here("main.ts"), here("worker.ts")],
  outdir: `${root}/out/fuzz/build`,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  packages: "external",
  sourcemap: "inline",
  logLevel: "error",
  plugins: [packages],
});
const child = spawn(process.execPath, [`${root}/out/fuzz/build/main.mjs`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
