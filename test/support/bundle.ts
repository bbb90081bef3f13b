import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type OutputChunk, rolldown } from "rolldown";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ENTRY = "virtual:entry";

/** Bundles `code` for browsers, as the packages lie here. */
export async function bundle(code: string, { minify = false } = {}): Promise<OutputChunk[]> {
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
  const { output } = await build.generate({ format: "esm", minify });
  await build.close();
  return output.filter((item): item is OutputChunk => item.type === "chunk");
}

/** The chunks that a page loads before any code asks for more. */
export function loadedAtOnce(chunks: readonly OutputChunk[]): OutputChunk[] {
  const found = new Set(chunks.filter((chunk) => chunk.isEntry));
  for (const { imports } of found) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) found.add(chunk);
  }
  return [...found];
}

/** Bytes of chunks that a server sends compressed, as with gzip -9. */
export const gzipBytes = (chunks: readonly OutputChunk[]): number =>
  chunks.reduce((bytes, { code }) => bytes + gzipSync(code, { level: 9 }).length, 0);
