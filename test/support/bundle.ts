import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type OutputChunk, rolldown } from "rolldown";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = "virtual:entry";

/** Bundles `code` for browsers, as the packages lie here. */
export async function bundle(code: string): Promise<OutputChunk[]> {
  const build = await rolldown({
    input: ENTRY,
    cwd: root,
    platform: "browser",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === ENTRY ? join(root, "entry.js") : null),
        load: (id) => (id === join(root, "entry.js") ? code : null),
      },
    ],
  });
  const { output } = await build.generate({ format: "esm" });
  await build.close();
  return output.filter((item): item is OutputChunk => item.type === "chunk");
}
