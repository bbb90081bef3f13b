import { nodeModule } from "@fcn/tensor/internal";

/**
 * The folder of an installed npm package, whatever it exports (Node): seen from the working directory, else from this
 * library. Returns undefined if it is not installed.
 */
export async function findPackage(name: string): Promise<string | undefined> {
  const { access } = nodeModule("findPackage", "node:fs/promises");
  const { createRequire } = nodeModule("findPackage", "node:module");
  const { join } = nodeModule("findPackage", "node:path");
  const seenFrom = [join(process.cwd(), "package.json"), import.meta.url];
  const places = seenFrom.flatMap((from) => createRequire(from).resolve.paths(name) ?? []);
  for (const place of new Set(places)) {
    const folder = join(place, name);
    const isThere = await access(join(folder, "package.json")).then(
      () => true,
      () => false,
    );
    if (isThere) return folder;
  }
  return undefined;
}
