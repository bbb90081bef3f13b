import type { Content } from "../content/content.js";
import { checkLeft, leaveOut } from "../content/skipped.js";
import type { Source } from "../files/source.js";
import type { Checkpoint } from "./checkpoint.js";
import { stripWrappers } from "./prefix.js";
import type { ReadPthOptions } from "./readPthOptions.js";
import { type StorageBytes, tensorArrays } from "./storages.js";
import { TensorRef, Unread } from "./tensors.js";

/** The state dict as the content of a file, with the net's names. */
export function contentOf(
  source: Source,
  { tensors, ignored, ...checkpoint }: Checkpoint,
  storages: ReadonlyMap<string, StorageBytes>,
  { unwrap }: ReadPthOptions,
): Content {
  const { named, ...stripped } = stripWrappers(tensors, unwrap);
  const readable = [...named].flatMap(([name, value]) => (value instanceof TensorRef ? [[name, value] as const] : []));
  const { arrays, skipped, verify } = tensorArrays(source, new Map(readable), storages, source.size);
  for (const [name, value] of named)
    if (value instanceof Unread) skipped.push(leaveOut(source, name, value.why, value.fix));
  checkLeft(source, arrays, skipped);
  const { dropped } = stripped;
  return { arrays, skipped, verify, dropped, ignored: [...ignored, ...stripped.ignored], ...checkpoint };
}
