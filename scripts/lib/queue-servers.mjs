import { spawnSync } from "node:child_process";
import { candidateOf } from "./apt-get.mjs";
import { installMissing } from "./packages.mjs";

/** What tests of queues start, by the Debian package that has it: servers of their own, and networks that they cut. */
const PROGRAMS = {
  "redis-server": ["redis-server", "--version"],
  "valkey-server": ["valkey-server", "--version"],
  iproute2: ["ip", "-V"],
};
/** Older releases of Debian and Ubuntu have it only in backports, and one server is enough. */
const IF_OFFERED = "valkey-server";

/**
 * The packages that are to be installed: all that are absent, in the order in which they are wanted.
 * @param {{ has: (name: string) => boolean, offers: (name: string) => boolean }} system
 */
export const absentPackages = ({ has, offers }) =>
  Object.keys(PROGRAMS).filter((name) => !has(name) && (name !== IF_OFFERED || offers(name)));

/** How to get them where this may not install. */
export const queueAdvice = (family, packages) =>
  family === "debian"
    ? `sudo apt-get install -y --no-install-recommends ${packages.join(" ")}`
    : "install Redis or Valkey, so that redis-server or valkey-server is on the path";

const has = (name) => {
  const [program, ...args] = PROGRAMS[name];
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
};
const offers = (name) => candidateOf(name) !== null;

/**
 * Installs Debian's servers of queues for the tests, where that takes no question. The tests start servers of their
 * own: none is left running. Without one they say that they are left out, so a failure here decides nothing.
 * @param {string} family of the system
 */
export function ensureQueueServers(family) {
  // A machine that has never read the lists of packages offers nothing before the first round.
  for (let round = 0; round < 2; round++) {
    const missing = absentPackages({ has, offers: (name) => family === "debian" && offers(name) });
    const services = missing.filter((name) => name.endsWith("-server"));
    const { step, problem } = installMissing(missing, services);
    if (step === "ready") return;
    if (step === "advise") return console.log(`setup: for the tests of queues: ${queueAdvice(family, missing)}`);
    if (problem !== null) return console.log(`setup: ${problem.message}; ${problem.fix}`);
    console.log(`setup: installed ${missing.join(" and ")} for the tests of queues`);
  }
}
