import { systemFamily } from "../../packages/fcn/bin/advice.mjs";
import { installPackages, updateLists } from "./apt-get.mjs";
import { packagesStep } from "./setup-plan.mjs";
import { isRoot, readSystem, sudoWithoutPassword } from "./system.mjs";

/**
 * Installs absent Debian packages where that takes no question: as root, or by sudo without a password.
 * @param {readonly string[]} missing
 * @param {readonly string[]} services of those packages, which are not to run
 * @returns {{ step: "ready" | "install" | "advise", problem: { message: string, fix: string } | null }} `advise`: it is
 *   for the user to do
 */
export function installMissing(missing, services = []) {
  const { family } = readSystem();
  const root = isRoot();
  const sudo = missing.length > 0 && !root && family === "debian" && sudoWithoutPassword();
  const step = packagesStep({ missing, family, root, sudo });
  if (step !== "install") return { step, problem: null };
  const as = root ? [] : ["sudo", "-n"];
  updateLists(as);
  return { step, problem: installPackages(missing, { as, services }) };
}

/**
 * How to get packages of images that Debian has.
 * @param {{ platform: string, osRelease: Record<string, string>, packages: readonly string[] }} wanted
 * @returns {{ command: string, why: string }}
 */
export function packagesAdvice({ platform, osRelease, packages }) {
  if (systemFamily(platform, osRelease) === "debian") {
    const command = `sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`;
    return { command, why: "after sudo apt-get update where apt-get does not know them" };
  }
  return {
    command: "npm run transfer -- --stamps DIR --photos DIR",
    why: `this system has no ${packages.join(" and ")}: name a folder of Tux Paint's stamps, with its own folders, and one of photographs`,
  };
}
