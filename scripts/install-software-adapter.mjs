#!/usr/bin/env node
// Debian and Ubuntu, as root: installs Mesa's software Vulkan driver in a version that Dawn accepts.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { MINIMUM_MESA, parseOsRelease, systemFamily } from "../packages/fcn/bin/advice.mjs";
import { nextStep, parseCandidate, parseSources } from "./lib/apt.mjs";
import { candidateOf, installPackages, quiet, updateLists } from "./lib/apt-get.mjs";

const PACKAGE = "mesa-vulkan-drivers";

function fail(message, fix) {
  process.stderr.write(`error: ${message}\nfix: ${fix}\n`);
  process.exit(1);
}

function readSources() {
  const sources = [];
  for (const [folder, names] of [
    ["/etc/apt", ["sources.list"]],
    ["/etc/apt/sources.list.d", listFolder("/etc/apt/sources.list.d")],
  ]) {
    for (const name of names) sources.push(...parseSources(name, readText(join(folder, name))));
  }
  return sources;
}

function listFolder(path) {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

function readText(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function readState(osRelease) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg-query's own.
  const installed = quiet("dpkg-query", ["-W", "-f=${db:Status-Abbrev} ${Version}", PACKAGE]);
  const target = osRelease.VERSION_CODENAME ? `${osRelease.VERSION_CODENAME}-backports` : null;
  return {
    osRelease,
    installed: installed.status === 0 && installed.stdout.startsWith("ii") ? installed.stdout.split(/\s+/)[1] : null,
    candidate: candidateOf(PACKAGE),
    backports: target && parseCandidate(quiet("apt-cache", ["-t", target, "policy", PACKAGE]).stdout ?? ""),
    sources: readSources(),
  };
}

/** Adds the backports entry and returns its path. */
function enableBackports(codename, stanza) {
  const path = `/etc/apt/sources.list.d/${codename}-backports.sources`;
  writeFileSync(`${path}.new`, stanza, { mode: 0o644 });
  renameSync(`${path}.new`, path);
  console.log(`enabled ${codename}-backports in ${path}`);
  updateLists();
  return path;
}

function install(target) {
  const problem = installPackages([PACKAGE], { target });
  if (problem !== null) fail(problem.message, problem.fix);
}

/** Leaves no entry after that turned out to be of no use. */
function giveUp(reason, entry) {
  if (entry !== null) {
    rmSync(entry);
    console.log(`removed ${entry}`);
  }
  fail(
    `${reason}; Dawn needs Mesa ${MINIMUM_MESA} or newer`,
    "use Debian 12 or newer or Ubuntu 24.04 or newer (with its updates), or a machine with a GPU",
  );
}

function main() {
  const osRelease = parseOsRelease(readText("/etc/os-release"));
  if (systemFamily(process.platform, osRelease) !== "debian") {
    fail("this installer is for Debian and Ubuntu", "run: npx fcn doctor, which prints the command for this system");
  }
  if (process.getuid?.() !== 0) fail("installing packages needs root", `run: sudo node ${process.argv[1]}`);
  let entry = null;
  for (let round = 0; round < 4; round++) {
    const { step, target, stanza, reason } = nextStep(readState(osRelease));
    if (step === "none") {
      console.log(`Mesa ${MINIMUM_MESA} or newer is installed`);
      return;
    }
    // Package lists are absent in most container images, and stale ones name files that are gone.
    if (round === 0) updateLists();
    else if (step === "enable-backports") entry = enableBackports(osRelease.VERSION_CODENAME, stanza);
    else if (step === "install") install(target);
    else giveUp(reason, entry);
  }
  fail(`${PACKAGE} is still older than ${MINIMUM_MESA}`, `run: apt-cache policy ${PACKAGE}`);
}

main();
