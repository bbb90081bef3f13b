import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { listFiles } from "./files.mjs";

/** What a test cannot use without a GPU, a browser, or a process of its own. */
const SLOW =
  /\bcreateDevice\b|["'](?:webgpu|node:child_process|playwright-core|rolldown|[^"']*\/stub\/driver\.mjs)["']/;
/** Modules of the tests that a file loads when it runs; types alone load nothing. */
const LOADS = /^(?:import|export)\s(?!type\b)[^"]*"(\.{1,2}\/[^"]+)\.js";/gm;

/**
 * The test files below `folder`, by what they need: `fast` ones have neither a device nor a browser and start no
 * program, nor does a module of the tests that they load.
 */
export function testKinds(folder) {
  const kinds = new Map();
  const isSlow = (file) => {
    const known = kinds.get(file);
    if (known !== undefined) return known;
    kinds.set(file, false);
    const text = readFileSync(join(folder, file), "utf8");
    const loaded = [...text.matchAll(LOADS)].map(([, path]) => join(dirname(file), `${path}.ts`));
    const slow = SLOW.test(text) || loaded.some((path) => !path.startsWith("..") && isSlow(path));
    kinds.set(file, slow);
    return slow;
  };
  const files = listFiles(folder, (name) => name.endsWith(".test.ts"));
  return { fast: files.filter((file) => !isSlow(file)), slow: files.filter(isSlow) };
}
