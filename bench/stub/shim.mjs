/**
 * Stub GPUs: Mesa's driver for AMD on a kernel driver that does nothing ("drm-shim"). The driver compiles shaders as
 * for the real GPU and takes all work, but nothing runs, so every value that is read back is zero.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { quiet } from "../../scripts/lib/apt-get.mjs";

/** AMD's GPUs by the names that the shim knows: GCN 5, RDNA 2, RDNA 3 and their neighbours. */
export const AMD = ["polaris10", "vega10", "renoir", "raven", "navi10", "navi21", "navi31"];

const PACKAGE = "mesa-drm-shim";
const LIBRARY = "usr/lib/x86_64-linux-gnu/libamdgpu_noop_drm_shim.so";
const DRIVER = "/usr/share/vulkan/icd.d/radeon_icd.json";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/fcn-drm-shim/", import.meta.url));

/** Fetches Debian's package into the cache folder, where it changes nothing on the system. */
function fetchShim() {
  mkdirSync(CACHE, { recursive: true });
  // Mesa's newest drivers are in backports; elsewhere the target is not known, and the plain name is.
  const download = 'cd "$1" && (apt-get download -q -t "$2" "$3" || apt-get download -q "$3")';
  const release = `${quiet("sh", ["-c", '. /etc/os-release; printf %s "$VERSION_CODENAME"']).stdout}-backports`;
  quiet("sh", ["-c", download, "sh", CACHE, release, PACKAGE]);
  for (const name of readdirSync(CACHE)) if (name.endsWith(".deb")) quiet("dpkg", ["-x", join(CACHE, name), CACHE]);
}

/**
 * The environment in which Dawn sees the stub of `gpu`.
 * @param {string} gpu one of {@link AMD}
 * @throws Error when the driver or the shim is missing and cannot be fetched
 */
export function stubEnvironment(gpu) {
  if (!AMD.includes(gpu)) throw new Error(`no stub of ${gpu}; there are ${AMD.join(", ")}`);
  if (process.platform !== "linux" || process.arch !== "x64" || !existsSync(DRIVER))
    throw new Error("stub GPUs need Linux on x86-64 with Mesa's driver for AMD (Debian: mesa-vulkan-drivers)");
  const places = [`/${LIBRARY}`, join(CACHE, LIBRARY)];
  if (!places.some(existsSync)) fetchShim();
  const shim = places.find(existsSync);
  if (shim === undefined)
    throw new Error(
      `stub GPUs need ${PACKAGE}, which apt-get cannot fetch here; install it (Debian, Ubuntu) and try again`,
    );
  return {
    ...process.env,
    AMDGPU_GPU_ID: gpu,
    LD_PRELOAD: shim,
    VK_ICD_FILENAMES: DRIVER,
    XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? tmpdir(),
  };
}
