/** The peers' own packages, kept in bench/peers so that nobody who uses ours installs them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../peers/", import.meta.url));

/** `require` as seen from bench/peers. */
export const requirePeer = createRequire(new URL("../peers/package.json", import.meta.url));

const manifest = () => JSON.parse(readFileSync(`${folder}package.json`, "utf8"));

/** Installs the peers by their lock file when one is missing or of another version. Install scripts stay off. */
export function installPeers() {
  const wanted = Object.entries(manifest().dependencies);
  if (wanted.every(([name, version]) => installedVersion(name) === version)) return;
  console.error("installing the peers of the benchmark in bench/peers");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error("the peers could not be installed: run `npm ci --ignore-scripts` in bench/peers");
}

/** The installed version of a peer, or undefined. */
export function installedVersion(name) {
  const path = `${folder}node_modules/${name}/package.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).version : undefined;
}
