import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** Files below `root` for which `keep(name)` holds, as sorted paths relative to `root` with "/" between folders. */
export function listFiles(root, keep) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && keep(entry.name))
    .map((entry) =>
      relative(root, join(entry.parentPath ?? entry.path, entry.name))
        .split(sep)
        .join("/"),
    )
    .sort();
}

/**
 * Writes `content` through a temporary name, and only when it differs, so that time stamps stay put. Says whether it
 * wrote.
 */
export function writeIfChanged(path, content) {
  try {
    if (readFileSync(path, "utf8") === content) return false;
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
  return true;
}
