import { isBuiltin } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OutputChunk, rolldown } from "rolldown";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = "virtual:entry";

/** Packages with native code or made for the terminal: a browser can load none of them. */
const NODE_ONLY = ["webgpu", "sharp", "commander", "cli-progress"];
const isNodeOnly = (name: string) => isBuiltin(name) || NODE_ONLY.includes(name);

/** Bundles `code` for browsers; Node-only modules stay imports, so that they can be seen. */
export async function bundle(code: string): Promise<{ chunks: OutputChunk[]; warnings: string[] }> {
  const warnings: string[] = [];
  const build = await rolldown({
    input: ENTRY,
    cwd: root,
    platform: "browser",
    external: isNodeOnly,
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? join(root, "entry.js") : null),
        load: (id) => (id === join(root, "entry.js") ? code : null),
      },
    ],
    onLog: (level, log) => {
      if (level === "warn") warnings.push(log.message);
    },
  });
  const { output } = await build.generate({ format: "esm" });
  await build.close();
  return { chunks: output.filter((item): item is OutputChunk => item.type === "chunk"), warnings };
}
