// Debian and Ubuntu: runs apt-get without showing where packages come from.
import { spawnSync } from "node:child_process";

/** Runs a program quietly; its output can name mirrors, so only the outcome is shown. */
export function quiet(program, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  return spawnSync(program, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
}

/**
 * apt-get, waiting for other users of apt instead of failing at once.
 * @param {string[]} args
 * @param {string[]} as what gives the right to install, such as ["sudo", "-n"]; nothing for root
 */
function aptGet(args, as) {
  const settings = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"];
  // sudo clears the environment, so it is set again after it.
  const [program, ...rest] = [
    ...as,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "LC_ALL=C",
    "apt-get",
    ...settings,
    ...args,
  ];
  return quiet(program, rest);
}

/** A source that cannot be reached need not be the one that matters, so a failure here does not decide. */
export function updateLists(as = []) {
  console.log("reading the package lists");
  if (aptGet(["update"], as).status !== 0) console.log("apt-get update reports a problem; going on with what it got");
}

/**
 * Installs packages.
 * @param {readonly string[]} packages
 * @param {{ target?: string, as?: string[] }} how `target` is a release such as "bookworm-backports"
 * @returns {{ message: string, fix: string } | null} what went wrong
 */
export function installPackages(packages, { target, as = [] } = {}) {
  console.log(`installing ${packages.join(" and ")}${target ? ` from ${target}` : ""}`);
  const choice = target ? ["-t", target] : [];
  const result = aptGet(["install", "-y", "--no-install-recommends", ...choice, ...packages], as);
  if (result.status === 0) return null;
  const lines = (result.stderr ?? "").split("\n").filter((line) => line.startsWith("E:") && !line.includes("://"));
  return {
    message: `apt-get cannot install ${packages.join(" and ")}${lines.length > 0 ? ` (${lines[0].slice(3)})` : ""}`,
    fix: `run: ${[...as, "apt-get", "install", ...choice, ...packages].join(" ")}`,
  };
}
