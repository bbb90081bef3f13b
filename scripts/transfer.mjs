// `fcn transfer` with the Debian packages that its pictures come from: installs those that are absent, which needs root or sudo without a
// password, and says what to run elsewhere. With folders of one's own (--stamps and --photos) it needs no package.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { packagesAdvice } from "../packages/fcn/bin/advice.mjs";
import { installMissing } from "./lib/packages.mjs";
import { fail, readSystem } from "./lib/system.mjs";

const FCN = fileURLToPath(new URL("../packages/fcn/bin/fcn.js", import.meta.url));
/** Each package, the option that replaces it, and a path that shows that it is there. */
const PACKAGES = [
  { name: "tuxpaint-stamps-default", option: "--stamps", path: "/usr/share/tuxpaint/stamps/animals" },
  { name: "lomiri-wallpapers-16.04", option: "--photos", path: "/usr/share/backgrounds/Dragonfly_by_Bolly.jpg" },
];

function ensurePackages(missing) {
  const { step, problem } = installMissing(missing);
  if (problem !== null) fail(problem.message, problem.fix);
  if (step !== "advise") return;
  const { command, why } = packagesAdvice({ ...readSystem(), packages: missing });
  fail(`the pictures for this command are absent: ${missing.join(" and ")}`, `${command}\n     (${why})`);
}

const args = process.argv.slice(2);
const given = (option) => args.some((arg) => arg === option || arg.startsWith(`${option}=`));
const asksOnly = given("--help") || given("-h");
ensurePackages(
  PACKAGES.filter(({ option, path }) => !asksOnly && !given(option) && !existsSync(path)).map(({ name }) => name),
);
process.exitCode = spawnSync(process.execPath, [FCN, "transfer", ...args], { stdio: "inherit" }).status ?? 1;
