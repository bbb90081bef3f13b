import { installPackages, updateLists } from "../../packages/fcn/bin/apt-get.mjs";
import { packagesStep } from "./setup-plan.mjs";
import { isRoot, readSystem, sudoWithoutPassword } from "./system.mjs";

/**
 * Installs absent Debian packages where that takes no question: as root, or by sudo without a password.
 * @param {readonly string[]} missing
 * @returns {{ step: "ready" | "install" | "advise", problem: { message: string, fix: string } | null }} `advise`: it is for the user to do
 */
export function installMissing(missing) {
  const { family } = readSystem();
  const root = isRoot();
  const sudo = missing.length > 0 && !root && family === "debian" && sudoWithoutPassword();
  const step = packagesStep({ missing, family, root, sudo });
  if (step !== "install") return { step, problem: null };
  const as = root ? [] : ["sudo", "-n"];
  updateLists(as);
  return { step, problem: installPackages(missing, { as }) };
}
