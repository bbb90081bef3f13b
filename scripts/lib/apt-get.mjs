// Debian and Ubuntu: runs apt-get without showing where packages come from.
import { spawnSync } from "node:child_process";
import { parseCandidate } from "./apt.mjs";

/** Runs a program quietly; its output can name mirrors, so only the outcome is shown. */
export function quiet(program, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  return spawnSync(program, args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 26 });
}

/**
 * apt-get, waiting for other users of apt instead of failing at once.
 * @param {string[]} args
 * @param {string[]} as what gives the right to install, such as ["sudo", "-n"]; nothing for root
 * @param {string[]} wrapper a command that runs another
 */
function aptGet(args, as, wrapper = []) {
  const settings = ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=3"];
  // sudo clears the environment, so it is set again after it.
  const [program, ...rest] = [
    ...as,
    ...wrapper,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "LC_ALL=C",
    "apt-get",
    ...settings,
    ...args,
  ];
  return quiet(program, rest);
}

/**
 * Debian starts a service when it is installed, unless this file forbids it. One that is there is left as it is, as in
 * containers; one that is made is removed, however the installation ends.
 */
const WITHOUT_SERVICES = `
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nexit 101\\n' > "$policy"
  chmod 755 "$policy"
fi
"$@"`;

/** The version that apt would install, or null where it knows none. */
export const candidateOf = (name) => parseCandidate(quiet("apt-cache", ["policy", name]).stdout ?? "");

/** A source that cannot be reached need not be the one that matters, so a failure here does not decide. */
export function updateLists(as = []) {
  console.log("reading the package lists");
  if (aptGet(["update"], as).status !== 0) console.log("apt-get update reports a problem; going on with what it got");
}

/**
 * Installs packages.
 * @param {readonly string[]} packages
 * @param {{ target?: string, as?: string[], services?: string[] }} how `target` is a release such as
 *   "bookworm-backports"; `services` come with the packages and are neither started nor started at boot
 * @returns {{ message: string, fix: string } | null} what went wrong
 */
export function installPackages(packages, { target, as = [], services = [] } = {}) {
  console.log(`installing ${packages.join(" and ")}${target ? ` from ${target}` : ""}`);
  const choice = target ? ["-t", target] : [];
  const wrapper = services.length > 0 ? ["sh", "-c", WITHOUT_SERVICES, "sh"] : [];
  const result = aptGet(["install", "-y", "--no-install-recommends", ...choice, ...packages], as, wrapper);
  for (const service of services) {
    const [program, ...rest] = [...as, "update-rc.d", service, "disable"];
    quiet(program, rest);
  }
  if (result.status === 0) return null;
  const lines = (result.stderr ?? "").split("\n").filter((line) => line.startsWith("E:") && !line.includes("://"));
  return {
    message: `apt-get cannot install ${packages.join(" and ")}${lines.length > 0 ? ` (${lines[0].slice(3)})` : ""}`,
    fix: `run: ${[...as, "apt-get", "install", ...choice, ...packages].join(" ")}`,
  };
}
