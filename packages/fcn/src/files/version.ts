import { nodeModule } from "@fcn/tensor/internal";

/** The version of this package (Node). */
export async function packageVersion(): Promise<string> {
  const { readFile } = nodeModule("packageVersion", "node:fs/promises");
  const manifest = await readFile(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
