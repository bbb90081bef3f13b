import { isBucket, openPlaces } from "../../files/buckets.js";
import { fileError } from "./errors.js";
import { type Listed, Tree } from "./tree.js";

export { isBucket };

/** What is listed once for all that ask while somebody uses it. */
interface Shared {
  users: number;
  tree?: Promise<Tree> | undefined;
}

const shared = new Map<string, Shared>();

/**
 * Runs `use`, during which a bucket is listed once below each of these folders, when something there is looked for: not
 * again for each question. Folders of this machine are looked at as ever.
 */
export async function listedOnce<T>(folders: readonly string[], use: () => Promise<T>): Promise<T> {
  const roots = folders.filter(isBucket).map(withoutSlash);
  for (const root of roots) {
    const known = shared.get(root) ?? { users: 0 };
    known.users++;
    shared.set(root, known);
  }
  try {
    return await use();
  } finally {
    for (const root of roots) {
      const known = shared.get(root);
      if (known && --known.users === 0) shared.delete(root);
    }
  }
}

const withoutSlash = (path: string): string => path.replace(/(?<=[^/:])\/+$/, "");

/** The tree that holds a path, if one is shared, and the path in it. */
async function sharedTree(path: string): Promise<{ tree: Tree; below: string } | undefined> {
  const whole = withoutSlash(path);
  for (const [root, known] of shared) {
    if (whole !== root && !whole.startsWith(`${root}/`)) continue;
    known.tree ??= listTree(root).catch((error: unknown) => {
      known.tree = undefined;
      throw error;
    });
    return { tree: await known.tree, below: whole.slice(root.length + 1) };
  }
  return undefined;
}

async function listTree(address: string): Promise<Tree> {
  const { openPlace } = await openPlaces(address);
  const tree = new Tree();
  for await (const { name, ...listed } of (await openPlace(address)).list()) tree.add(name, listed);
  return tree;
}

/** As `kindOf` for paths of this machine. Throws `missing-data` if there is no such bucket. */
export async function bucketKind(path: string): Promise<"file" | "folder" | undefined> {
  const known = await sharedTree(path);
  const kind = known?.tree.kindOf(known.below);
  if (kind !== undefined || (known && known.below !== "")) return kind;
  if (known?.tree.impossible !== undefined) {
    const problem = `what lies below it has names with an empty part, or "." or "..", such as "${known.tree.impossible}"`;
    throw fileError("missing-data", path, problem, "give it names such as images/a.png (aws s3 mv --recursive)");
  }
  const { openPlace, statAddress } = await openPlaces(path);
  const place = await openPlace(path);
  if (!known) for await (const _ of place.list()) return "folder";
  // A bucket without files is there, and no file.
  return place.address.includes("/", "s3://".length) && (await statAddress(path)) ? "file" : undefined;
}

/** A file of a bucket; undefined if there is none. */
export async function bucketFile(path: string): Promise<Listed | undefined> {
  const known = await sharedTree(path);
  if (known) return known.tree.file(known.below);
  const { statAddress } = await openPlaces(path);
  return statAddress(path);
}

/** The files in a folder of a bucket, as `listFiles` has them. Throws `missing-data` if there is none. */
export async function bucketFiles(folder: string, recursive: boolean): Promise<string[]> {
  const { tree, below } = await treeOf(folder);
  return tree.files(below, recursive) ?? missing(folder);
}

/** The folders in a folder of a bucket, as `listFolders` has them. Throws `missing-data` if there is none. */
export async function bucketFolders(folder: string): Promise<string[]> {
  const { tree, below } = await treeOf(folder);
  return tree.folders(below) ?? missing(folder);
}

const treeOf = async (folder: string): Promise<{ tree: Tree; below: string }> =>
  (await sharedTree(folder)) ?? { tree: await listTree(folder), below: "" };

function missing(folder: string): never {
  throw fileError("missing-data", folder, "there are no files below it", "check the address");
}

/** The bytes of a file in a bucket, or `length` of them from `offset`. Throws `missing-data` if there is none. */
export async function readBucket(
  path: string,
  range?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  // Of nothing, servers refuse to send a part, some by an end of the connection.
  const known = range && (await sharedTree(path));
  if (known?.tree.file(known.below)?.bytes === 0) return new Uint8Array(0);
  const { readAddress } = await openPlaces(path);
  return readAddress(path, range);
}
