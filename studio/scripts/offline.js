import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../src/serviceWorker.js", import.meta.url));
/** Files that are kept when they are first asked for, since not every visitor needs them and they are large. */
const LATER = /^generated\/weights\//;

const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());

/**
 * Writes the service worker beside the page: it keeps all files of the build, so that the page opens without a network
 * after the first visit. Another build has another version.
 */
export function offline() {
  let folder = "";
  return {
    name: "offline",
    apply: "build",
    configResolved({ root, build }) {
      folder = resolve(root, build.outDir);
    },
    closeBundle() {
      const files = filesBelow(folder)
        .map((path) => ({ path, name: relative(folder, path).split(sep).join("/") }))
        .filter(({ name }) => !LATER.test(name) && name !== "serviceWorker.js");
      const hash = createHash("sha256");
      for (const { path, name } of files) hash.update(name).update(readFileSync(path));
      const given = { version: hash.digest("hex").slice(0, 12), files: ["./", ...files.map(({ name }) => name)] };
      const text = readFileSync(SOURCE, "utf8").replace("self.BUILD", JSON.stringify(given));
      writeFileSync(join(folder, "serviceWorker.js"), text);
    },
  };
}
