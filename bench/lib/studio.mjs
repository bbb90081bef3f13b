import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** What the studio learns by, compiled for Node. */
const PARTS = ["learn/nets", "learn/patches", "learn/trainee", "learn/turns", "session/raster"];

/** The parts of the studio that need no page. */
export async function loadStudio() {
  const outfile = join(root, "out/studio-parts.mjs");
  await build({
    stdin: {
      contents: PARTS.map((part) => `export * from "./${part}.ts";`).join("\n"),
      resolveDir: join(root, "studio/src"),
    },
    bundle: true,
    format: "esm",
    platform: "node",
    packages: "external",
    outfile,
  });
  return import(pathToFileURL(outfile).href);
}
