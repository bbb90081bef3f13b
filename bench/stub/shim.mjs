/**
 * Stub GPUs: Mesa's drivers for AMD and Intel on a kernel driver that does nothing ("drm-shim"). The drivers compile
 * shaders as for the real GPU and take all work, but nothing runs, so every value that is read back is zero.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quiet } from "../../scripts/lib/apt-get.mjs";
import { buildShim, builtShim } from "./shimBuild.mjs";

/** AMD's GPUs by the names that the shim knows: GCN 5, RDNA 2, RDNA 3 and their neighbours. */
export const AMD = ["polaris10", "vega10", "renoir", "raven", "navi10", "navi21", "navi31"];
/** Intel's: Gen 9, Xe-LP (Tiger Lake), Xe-HPG (Arc), Xe-LPG (Meteor Lake), Xe2 (Lunar Lake). */
export const INTEL = ["skl", "tgl", "dg2", "mtl", "lnl"];

const PACKAGE = "mesa-drm-shim";
const LIBRARY = "usr/lib/x86_64-linux-gnu/libamdgpu_noop_drm_shim.so";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/fcn-drm-shim/", import.meta.url));
const DRIVERS = "/usr/share/vulkan/icd.d";

/** Fetches Debian's package into the cache folder, where it changes nothing on the system. */
function fetchShim() {
  mkdirSync(CACHE, { recursive: true });
  // Mesa's newest drivers are in backports; elsewhere the target is not known, and the plain name is.
  const download = 'cd "$1" && (apt-get download -q -t "$2" "$3" || apt-get download -q "$3")';
  const release = `${quiet("sh", ["-c", '. /etc/os-release; printf %s "$VERSION_CODENAME"']).stdout}-backports`;
  quiet("sh", ["-c", download, "sh", CACHE, release, PACKAGE]);
  for (const name of readdirSync(CACHE)) if (name.endsWith(".deb")) quiet("dpkg", ["-x", join(CACHE, name), CACHE]);
}

function amdShim() {
  const places = [`/${LIBRARY}`, join(CACHE, LIBRARY)];
  if (!places.some(existsSync)) fetchShim();
  const shim = places.find(existsSync);
  if (shim !== undefined) return shim;
  throw new Error(
    `stub GPUs need ${PACKAGE}, which apt-get cannot fetch here; install it (Debian, Ubuntu) and try again`,
  );
}

function intelShim(build) {
  const shim = builtShim(CACHE);
  if (shim !== undefined) return shim;
  if (!build) throw new Error("Intel's stub is not built; `npm run bench -- static --gpu tgl` builds it");
  return buildShim(CACHE);
}

/**
 * The environment in which Dawn sees the stub of `gpu`. What is missing is fetched from Debian or, for Intel, built of
 * Debian's source, into the cache folder.
 * @param {string} gpu one of {@link AMD} or {@link INTEL}
 * @param {{ build?: boolean }} options false: an error where the shim would have to be built, which takes minutes
 * @throws Error when the driver or the shim is missing and cannot be had
 */
export function stubEnvironment(gpu, { build = true } = {}) {
  const isIntel = INTEL.includes(gpu);
  if (!isIntel && !AMD.includes(gpu)) throw new Error(`no stub of ${gpu}; there are ${[...AMD, ...INTEL].join(", ")}`);
  const driver = `${DRIVERS}/${isIntel ? "intel" : "radeon"}_icd.json`;
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(driver))
    throw new Error("stub GPUs need Linux on x86-64 with Mesa's drivers (Debian: mesa-vulkan-drivers)");
  return {
    ...process.env,
    ...(isIntel
      ? { INTEL_STUB_GPU_PLATFORM: gpu, LD_PRELOAD: intelShim(build), MESA_SHADER_CACHE_DISABLE: "true" }
      : { AMDGPU_GPU_ID: gpu, LD_PRELOAD: amdShim() }),
    VK_ICD_FILENAMES: driver,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
}
