import { openZip } from "../../studio/src/files/zips.js";
import { writeTree } from "../fcn/data/trees.js";

/** Writes the files of a zip below `root`, and returns that. */
export async function unpack(zip: Uint8Array, root: string): Promise<string> {
  const files = await openZip(new Blob([zip as Uint8Array<ArrayBuffer>]), "export.zip");
  const tree: Record<string, Uint8Array> = {};
  for (const [path, read] of files) tree[path] = new Uint8Array(await (await read()).arrayBuffer());
  await writeTree(root, tree);
  return root;
}
