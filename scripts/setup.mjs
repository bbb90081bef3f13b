// Makes a fresh clone ready: npm dependencies, build, and an adapter that Dawn accepts. Plain Node, safe to run again.
// Where that takes no question, it also installs Debian's Chromium for the tests in a browser (--chromium), and Redis
// and Valkey for those of queues (--queue).
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, realpathSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { adapterAdvice, driverRemarks, packageAdvice } from "../packages/fcn/bin/advice.mjs";
import { chromiumPath } from "./lib/chromium.mjs";
import { installMissing } from "./lib/packages.mjs";
import { ensureQueueServers } from "./lib/queue-servers.mjs";
import { adapterStep, needsInstall, readProbe } from "./lib/setup-plan.mjs";
import { fail, isRoot, readSystem, sudoWithoutPassword } from "./lib/system.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const installer = join(root, "scripts/install-software-adapter.mjs");
const OLDEST_NODE = [20, 16];

function timeOf(path) {
  return existsSync(path) ? statSync(path).mtimeMs : null;
}

/**
 * npm as the npm that started this script, or the one on the path; on Windows that one is a script and needs a shell.
 */
function npm(...args) {
  const cli = process.env.npm_execpath;
  const [program, head] = cli?.endsWith(".js") ? [process.execPath, [cli]] : ["npm", []];
  const shell = program === "npm" && process.platform === "win32";
  return (
    spawnSync(program, [...head, ...args], { cwd: root, stdio: ["ignore", "inherit", "inherit"], shell }).status === 0
  );
}

function workspacesLinked() {
  const folder = join(root, "packages");
  return readdirSync(folder).every((name) => {
    const manifest = join(folder, name, "package.json");
    if (!existsSync(manifest)) return true;
    const link = join(root, "node_modules", JSON.parse(readFileSync(manifest, "utf8")).name);
    return existsSync(link) && realpathSync(link) === realpathSync(join(folder, name));
  });
}

function installDependencies() {
  const record = join(root, "node_modules/.package-lock.json");
  const needed = needsInstall({
    lockTime: timeOf(join(root, "package-lock.json")),
    installedTime: timeOf(record),
    linked: workspacesLinked(),
  });
  if (!needed) return;
  console.log("setup: npm install");
  if (!npm("install", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error")) {
    fail("npm install failed", "see npm's message above; a network or proxy problem is the usual cause");
  }
  // npm can leave its record older than the lock file, which would ask for the same install next time.
  if (existsSync(record)) utimesSync(record, new Date(), new Date());
}

function build() {
  if (!npm("run", "--silent", "build")) fail("the build failed", "see the compiler's messages above");
}

function probeAdapter() {
  // Without XDG_RUNTIME_DIR the Vulkan loader prints an error line per call.
  const env = { XDG_RUNTIME_DIR: tmpdir(), ...process.env };
  const child = spawnSync(process.execPath, [join(root, "scripts/lib/probe.mjs")], {
    cwd: root,
    env,
    encoding: "utf8",
    timeout: 120_000,
  });
  return readProbe(child);
}

function runInstaller(withSudo) {
  console.log("setup: no adapter for WebGPU here; installing Mesa's software Vulkan driver");
  const command = [...(withSudo ? ["sudo", "-n"] : []), process.execPath, installer];
  if (spawnSync(command[0], command.slice(1), { stdio: ["ignore", "inherit", "inherit"] }).status !== 0)
    process.exit(1);
}

function advise(probe, system, installed) {
  const { command, why } = adapterAdvice({ ...system, installer: relative(process.cwd(), installer) });
  const devices = existsSync("/dev") ? readdirSync("/dev") : [];
  const details = [
    probe.message,
    installed ? "Mesa's software driver is installed but does not start" : null,
    ...driverRemarks({ platform: system.platform, devices, env: process.env }),
  ].filter(Boolean);
  const fix = installed ? "vulkaninfo --summary (package vulkan-tools) shows why" : `${command}\n     (${why})`;
  fail(["Dawn finds no WebGPU adapter on this machine", ...details].join("; "), fix);
}

function ensureAdapter() {
  const system = readSystem();
  const { family } = system;
  for (let installed = false; ; installed = true) {
    const probe = probeAdapter();
    const sudo = !isRoot() && !probe.found && family === "debian" && sudoWithoutPassword();
    const step = adapterStep(probe, { family, root: isRoot(), sudo, installed });
    if (step === "ready")
      return console.log(`setup: ready, ${probe.software ? "software" : "hardware"} adapter: ${probe.name}`);
    if (step === "package") {
      fail(`the webgpu package does not load: ${probe.message}`, packageAdvice({ ...system, message: probe.message }));
    }
    if (step === "advise") advise(probe, system, installed);
    runInstaller(step === "install-with-sudo");
  }
}

/** Without Chromium the tests in a browser fail and say what to install, so a failure here decides nothing. */
function ensureChromium() {
  const { step, problem } = installMissing(chromiumPath() === undefined ? ["chromium"] : []);
  if (problem !== null) console.log(`setup: ${problem.message}; ${problem.fix}`);
  if (step === "install" && problem === null) console.log("setup: installed Chromium for the tests in a browser");
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  fail(`Node ${process.versions.node} is too old`, `install Node ${OLDEST_NODE.join(".")} or newer`);
}
installDependencies();
build();
ensureAdapter();
if (process.argv.includes("--chromium")) ensureChromium();
if (process.argv.includes("--queue")) ensureQueueServers(readSystem().family);
