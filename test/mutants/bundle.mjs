import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { globSync } from "tinyglobby";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const FOLDERS = { kernels: "kernels", tensor: "tensor", core: "fcn" };

/**
 * Where a file lies, as `import.meta.url` tells it; a file of the packages, which may start a worker, as if it were
 * built.
 */
const placeOf = (path) => pathToFileURL(path.replace(/^(.*\/packages\/\w+\/)src\/(.*)\.ts$/, "$1dist/$2.js")).href;

/**
 * Puts an entry, the test files below `root` that match and the source of the packages in one module, with the list of
 * tests in place of vitest: it exports, or the entry imports, `files`, which loads each test file.
 */
export async function bundleTests({ root, entry, outfile, tests }) {
  const found = globSync(tests, { cwd: root }).sort();
  if (found.length === 0) throw new Error(`no test is ${tests.join(", ")}`);
  const imports = found.map((path) => `${JSON.stringify(path)}: () => import(${JSON.stringify(join(root, path))})`);
  const plugin = {
    name: "tests-in-one-module",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^vitest$/ }, () => ({ path: here("suite.ts") }));
      onResolve({ filter: /^vitest-itself$/ }, () => ({ path: "vitest", external: true }));
      onResolve({ filter: /^test-files$/ }, () => ({ path: "test-files", namespace: "list" }));
      onLoad({ filter: /.*/, namespace: "list" }, () => ({
        contents: `export const files = { ${imports.join(", ")} };`,
        resolveDir: root,
      }));
      onResolve({ filter: /^@fcn\// }, ({ path }) => {
        const [, name, module = "index"] = /^@fcn\/(\w+)(?:\/(.*))?$/.exec(path);
        return { path: `${root}/packages/${FOLDERS[name]}/src/${module}.ts` };
      });
      onResolve({ filter: /^[^./]/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, "utf8").replaceAll("import.meta.url", JSON.stringify(placeOf(path))),
        loader: "ts",
      }));
    },
  };
  await build({
    entryPoints: [here(entry)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "error",
    plugins: [plugin],
  });
}
