import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseOsRelease, systemFamily } from "../../packages/fcn/bin/advice.mjs";

/** Ends the process with what is wrong and what mends it. */
export function fail(message, fix) {
  process.stderr.write(`error: ${message}\nfix: ${fix}\n`);
  process.exit(1);
}

/** This system, as the advice of `fcn doctor` takes it. */
export function readSystem() {
  const osRelease = parseOsRelease(existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "");
  return { platform: process.platform, osRelease, family: systemFamily(process.platform, osRelease) };
}

export const isRoot = () => process.getuid?.() === 0;

export function sudoWithoutPassword() {
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
}
