// What to do on which system when Dawn finds no adapter. Plain JavaScript without dependencies, because it is also used
// before anything is installed or built.

/** Oldest Mesa whose software Vulkan driver (lavapipe) Dawn accepts. */
export const MINIMUM_MESA = 25;

/** Parses the `KEY=value` lines of /etc/os-release. */
export function parseOsRelease(text) {
  const fields = {};
  for (const line of text.split("\n")) {
    const match = /^([A-Z_]+)=(.*)$/.exec(line.trim());
    if (match) fields[match[1]] = match[2].replace(/^(["'])(.*)\1$/, "$2");
  }
  return fields;
}

const FAMILIES = ["alpine", "arch", "debian", "fedora", "suse", "nixos"];
const MEMBERS = {
  ubuntu: "debian",
  rhel: "fedora",
  centos: "fedora",
  opensuse: "suse",
  sles: "suse",
  archlinux: "arch",
};

/**
 * The family of systems that shares one way of installing packages.
 * @param {string} platform `process.platform`
 * @param {Record<string, string>} osRelease fields of /etc/os-release
 */
export function systemFamily(platform, osRelease) {
  if (platform === "darwin") return "macos";
  if (platform === "win32") return "windows";
  if (platform !== "linux") return "other";
  const names = `${osRelease.ID ?? ""} ${osRelease.ID_LIKE ?? ""}`.toLowerCase().split(/\s+/);
  for (const name of names) {
    const base = name.split("-")[0];
    const family = MEMBERS[base] ?? base;
    if (FAMILIES.includes(family)) return family;
  }
  return "linux";
}

const ADVICE = {
  fedora: {
    command: "sudo dnf install -y mesa-vulkan-drivers vulkan-loader",
    why: `installs Mesa's software Vulkan driver; Dawn needs Mesa ${MINIMUM_MESA} or newer`,
  },
  arch: {
    command: "sudo pacman -S --needed vulkan-swrast vulkan-icd-loader",
    why: "installs Mesa's software Vulkan driver",
  },
  suse: {
    command: "sudo zypper install -y libvulkan_lvp libvulkan1",
    why: `installs Mesa's software Vulkan driver; Dawn needs Mesa ${MINIMUM_MESA} or newer`,
  },
  nixos: {
    command: "sudoedit /etc/nixos/configuration.nix && sudo nixos-rebuild switch",
    why: "set hardware.graphics.enable = true there: this brings Mesa with its software Vulkan driver",
  },
  alpine: {
    command: 'docker run -it --rm -v "$PWD:$PWD" -w "$PWD" node:22-trixie npm run setup',
    why: "the webgpu package is built for glibc, which Alpine lacks: use a system that has it",
  },
  macos: {
    command: "system_profiler SPDisplaysDataType",
    why: "Dawn uses Metal, which is part of macOS: nothing can be installed. The command shows whether this machine has Metal; most virtual machines do not",
  },
  windows: {
    command: "start ms-settings:windowsupdate",
    why: "Dawn uses Direct3D 12, which comes with the graphics driver: the command opens Windows Update, which installs it",
  },
  linux: {
    command: "vulkaninfo --summary",
    why: `install Mesa ${MINIMUM_MESA} or newer with its software Vulkan driver (lavapipe) from your distribution; the command then lists it`,
  },
  other: {
    command: "npm ls webgpu",
    why: "the webgpu package has no build for this platform; it runs on Linux, macOS and Windows",
  },
};

/** Oldest Debian whose own Mesa is new enough; those before it have it in their backports. */
const MINIMUM_DEBIAN = 13;

/** The steps of apt that bring Mesa, as one command. */
function aptCommand({ ID, VERSION_ID, VERSION_CODENAME }) {
  const install = "apt-get install -y mesa-vulkan-drivers";
  const isOld = ID === "debian" && Number(VERSION_ID) < MINIMUM_DEBIAN && VERSION_CODENAME !== undefined;
  if (!isOld) return `sudo sh -c 'apt-get update && ${install}'`;
  const suite = `${VERSION_CODENAME}-backports`;
  // The archive that the machine has its packages from, whichever mirror that is.
  const archive = `"Created-By: Packages" "Release: ${VERSION_CODENAME}" "Component: main"`;
  const lines = `apt-get indextargets --format "deb \\$(REPO_URI) ${suite} main" ${archive} | sort -u`;
  const source = `${lines} > /etc/apt/sources.list.d/${suite}.list`;
  return `sudo sh -c 'apt-get update && ${source} && apt-get update && ${install} -t ${suite}'`;
}

/**
 * The command that gives this system an adapter, and why.
 * @param {{ platform: string, osRelease: Record<string, string>, installer?: string }} system `installer` is the path
 * of install-software-adapter.mjs as the user would type it, in a copy of the repository
 * @returns {{ family: string, command: string, why: string }}
 */
export function adapterAdvice({ platform, osRelease, installer }) {
  const family = systemFamily(platform, osRelease);
  if (family !== "debian") return { family, ...ADVICE[family] };
  const script = /\s/.test(installer ?? "") ? JSON.stringify(installer) : installer;
  return {
    family,
    command: script === undefined ? aptCommand(osRelease) : `sudo node ${script}`,
    why: `installs Mesa's software Vulkan driver, ${MINIMUM_MESA} or newer`,
  };
}

/**
 * What to do when the webgpu package itself does not load.
 * @param {{ platform: string, osRelease: Record<string, string>, message: string }} failure `message` is the loader's
 */
export function packageAdvice({ platform, osRelease, message }) {
  const family = systemFamily(platform, osRelease);
  if (family === "alpine" || family === "other") return `${ADVICE[family].why} (${ADVICE[family].command})`;
  if (/GLIBC/.test(message)) return "use a newer system: Debian 12, Ubuntu 22.04, Fedora 36 or later";
  return "run: npm install --no-save --force webgpu";
}

const DRIVER_OVERRIDES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/**
 * Remarks on what may hide a driver or a graphics card from Dawn: one line each.
 * @param {{ platform: string, devices: string[], env: Record<string, string | undefined> }} machine `devices` are the
 *   entries of /dev
 */
export function driverRemarks({ platform, devices, env }) {
  if (platform !== "linux") return [];
  const remarks = DRIVER_OVERRIDES.filter((name) => env[name]).map(
    (name) => `${name} is set to ${env[name]}, so that Vulkan sees only that driver: unset it`,
  );
  if (devices.includes("nvidiactl")) {
    remarks.push(
      "an NVIDIA card is present but its Vulkan driver is not: install the driver's GL/Vulkan part (libnvidia-gl), or start the container with NVIDIA_DRIVER_CAPABILITIES=all",
    );
  }
  if (devices.includes("kfd")) {
    remarks.push("an AMD card is present but Vulkan does not show it: the user must be in the groups video and render");
  }
  return remarks;
}
