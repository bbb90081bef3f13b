/**
 * Builds Mesa's kernel driver stub for Intel of Debian's source: no distribution has it as a package. Source and tools
 * (meson, bison, ...) are Debian's packages, unpacked in a cache folder: nothing is installed, no rights are needed.
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { quiet } from "../../scripts/lib/apt-get.mjs";

const LIBRARY = "libintel_noop_drm_shim.so";
const TARGET = `src/intel/tools/${LIBRARY}`;
const PYTHON = "/usr/bin/python3";
/** What the system itself must have: the compilers, and Debian's Python, for which the modules below are built. */
const PROGRAMS = ["cc", "c++", "pkg-config", "tar", PYTHON];
const TOOLS = ["meson", "ninja-build", "bison", "flex", "m4"];
const MODULES = ["mako", "markupsafe", "packaging", "pkg-resources", "yaml"].map((name) => `python3-${name}`);
const LIBRARIES = ["libdrm-dev", "libdrm2", "libpciaccess-dev", "zlib1g-dev", "zlib1g", "libexpat1-dev", "libexpat1"];
const LIB = "usr/lib/x86_64-linux-gnu";

const OFF = ["glx", "egl", "gbm", "gles1", "gles2", "llvm", "zstd", "libunwind", "valgrind"].map(
  (name) => `-D${name}=disabled`,
);
const SETTINGS = ["platforms=", "gallium-drivers=", "vulkan-drivers=", "opengl=false", "tools=drm-shim,intel"].map(
  (setting) => `-D${setting}`,
);

/** The version of Mesa's drivers that is installed: the stub must know the requests that they make. */
const version = () =>
  /^Version: (.*)$/m.exec(quiet("dpkg", ["-s", "mesa-vulkan-drivers"]).stdout ?? "")?.[1] ?? "unknown";
const place = (cache) => join(cache, `intel-${version().replace(/[^\w.+~-]/g, "_")}`, LIBRARY);

/** Where an earlier build of the stub for the installed drivers lies, or undefined. */
export function builtShim(cache) {
  const path = place(cache);
  return existsSync(path) ? path : undefined;
}

/** The last lines of what a program printed, without the addresses of mirrors. */
const tail = ({ stdout, stderr }) =>
  `${stdout ?? ""}\n${stderr ?? ""}`
    .trim()
    .split("\n")
    .slice(-5)
    .join("\n")
    .replace(/https?:\S+/g, "");

function must(what, program, args, options = {}) {
  const run = quiet("env", [
    ...Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`),
    ...(options.cwd ? ["-C", options.cwd] : []),
    program,
    ...args,
  ]);
  if (run.status !== 0) throw new Error(`Intel's stub: ${what} failed:\n${tail(run)}`);
}

/** Unpacks Debian's packages into `root`; the names of those that apt-get cannot fetch are in the error. */
function unpack(packages, folder, root) {
  const release = `${quiet("sh", ["-c", '. /etc/os-release; printf %s "$VERSION_CODENAME"']).stdout}-backports`;
  mkdirSync(folder, { recursive: true });
  const fetch = 'cd "$1" && (apt-get download -q -t "$2" "$3" || apt-get download -q "$3")';
  const missing = packages.filter((name) => quiet("sh", ["-c", fetch, "sh", folder, release, name]).status !== 0);
  if (missing.length > 0)
    throw new Error(`Intel's stub: apt-get cannot fetch ${missing.join(", ")}; run \`apt-get update\` and try again`);
  for (const name of readdirSync(folder)) must("unpacking", "dpkg", ["-x", join(folder, name), root]);
}

/** Settings of apt-get with lists of its own, in which the system's places of packages are places of sources. */
function sourceLists(folder) {
  const parts = join(folder, "parts");
  for (const name of ["parts", "lists/partial", "cache/archives/partial"])
    mkdirSync(join(folder, name), { recursive: true });
  const system = "/etc/apt/sources.list.d";
  const lists = existsSync(system) ? readdirSync(system).map((name) => join(system, name)) : [];
  for (const path of ["/etc/apt/sources.list", ...lists]) {
    if (!existsSync(path) || !/\.(list|sources)$/.test(path)) continue;
    const text = readFileSync(path, "utf8")
      .replace(/^Types:.*$/gm, "Types: deb-src")
      .replace(/^deb /gm, "deb-src ");
    writeFileSync(join(parts, path.split("/").at(-1)), text);
  }
  const settings = join(folder, "apt.conf");
  writeFileSync(
    settings,
    `Dir::State::lists "${join(folder, "lists")}";\nDir::Cache "${join(folder, "cache")}";\n` +
      `Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "${parts}";\n`,
  );
  return settings;
}

/** Fetches the source of the drivers, and returns the folder that it is unpacked in. */
function fetchSource(folder) {
  const env = `APT_CONFIG=${sourceLists(folder)}`;
  quiet("env", [env, "apt-get", "update", "-q"]);
  // Debian's own changes, which come in files beside it, are not needed.
  const source = `mesa=${version()}`;
  const fetched = quiet("env", ["-C", folder, env, "apt-get", "source", "-q", "--download-only", source]);
  const archive = readdirSync(folder).find((name) => /^mesa_.*\.orig\.tar\.\w+$/.test(name));
  if (archive === undefined)
    throw new Error(`Intel's stub: apt-get cannot fetch the source ${source}:\n${tail(fetched)}`);
  must("unpacking the source", "tar", ["-xf", join(folder, archive), "-C", folder]);
  return join(folder, /** @type {string} */ (readdirSync(folder).find((name) => /^mesa-[\d.]+[\w-]*$/.test(name))));
}

/** The stub says that its GPU has 4 GiB, of which a driver gives half: too few for a large net's training step. */
function moreMemory(path) {
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replaceAll("probed_size = 4ull *", "probed_size = 64ull *"));
}

/**
 * Builds the stub for the installed drivers, which takes one to three minutes, and returns its path.
 * @param {string} cache the folder that keeps it; sources and tools lie there while it is built
 * @throws Error that names what is missing
 */
export function buildShim(cache) {
  const absent = PROGRAMS.filter((name) => quiet("sh", ["-c", 'command -v "$1"', "sh", name]).status !== 0);
  if (absent.length > 0)
    throw new Error(
      `Intel's stub is built with ${absent.join(", ")}, which this system lacks; ` +
        "on Debian: apt-get install build-essential pkg-config python3",
    );
  const work = join(cache, "build");
  const root = join(work, "root");
  rmSync(work, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  console.error("Intel's stub: fetching Mesa's source and the tools that build it");
  unpack([...TOOLS, ...MODULES, ...LIBRARIES], join(work, "packages"), root);
  const source = fetchSource(work);
  moreMemory(join(source, "src/intel/tools/intel_noop_drm_shim.c"));
  console.error(`Intel's stub: building it of Mesa ${version()}, once; this takes a few minutes`);
  const env = {
    PATH: `${join(root, "usr/bin")}:${process.env.PATH}`,
    PYTHONPATH: join(root, "usr/lib/python3/dist-packages"),
    BISON_PKGDATADIR: join(root, "usr/share/bison"),
    M4: join(root, "usr/bin/m4"),
    PKG_CONFIG_SYSROOT_DIR: root,
    PKG_CONFIG_PATH: join(root, LIB, "pkgconfig"),
  };
  const build = join(work, "mesa");
  const meson = [join(root, "usr/bin/meson"), "setup", build, source, "--buildtype=release", ...OFF, ...SETTINGS];
  must("meson", PYTHON, meson, { env });
  must("the build", "ninja", ["-C", build, TARGET], { env });
  const path = place(cache);
  mkdirSync(join(path, ".."), { recursive: true });
  copyFileSync(join(build, TARGET), path);
  rmSync(work, { recursive: true, force: true });
  return path;
}
