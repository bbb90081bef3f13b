import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Files below `root` for which `keep(name)` holds, as sorted paths relative to `root` with "/" between folders.
 * Installed packages are passed over.
 */
export function listFiles(root, keep, below = "") {
  return readdirSync(join(root, below), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${below}${entry.name}`;
      if (entry.isDirectory()) return entry.name === "node_modules" ? [] : listFiles(root, keep, `${path}/`);
      return entry.isFile() && keep(entry.name) ? [path] : [];
    })
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
