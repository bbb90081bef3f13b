import { describe, expect, it } from "vitest";
import {
  adapterAdvice,
  driverRemarks,
  packageAdvice,
  parseOsRelease,
  systemFamily,
} from "../../packages/fcn/bin/advice.mjs";

const installer = "scripts/install-software-adapter.mjs";

describe("parseOsRelease", () => {
  it("reads quoted and bare values", () => {
    const fields = parseOsRelease("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n# no\nID_LIKE='a b'\n");
    expect(fields).toEqual({ PRETTY_NAME: "Debian GNU/Linux 12 (bookworm)", ID: "debian", ID_LIKE: "a b" });
  });
});

describe("systemFamily", () => {
  it.each([
    ["debian", "", "debian"],
    ["ubuntu", "debian", "debian"],
    ["linuxmint", "ubuntu debian", "debian"],
    ["fedora", "", "fedora"],
    ["rocky", "rhel centos fedora", "fedora"],
    ["manjaro", "arch", "arch"],
    ["opensuse-tumbleweed", "opensuse suse", "suse"],
    ["alpine", "", "alpine"],
    ["somethingelse", "", "linux"],
  ])("puts ID=%s ID_LIKE=%j with %s", (id, like, family) => {
    expect(systemFamily("linux", { ID: id, ID_LIKE: like })).toBe(family);
  });

  it("needs no os-release elsewhere", () => {
    expect(["darwin", "win32", "freebsd"].map((platform) => systemFamily(platform, {}))).toEqual([
      "macos",
      "windows",
      "other",
    ]);
  });
});

describe("advice", () => {
  it.each([
    ["linux", { ID: "fedora" }, /^sudo dnf install .*mesa-vulkan-drivers/],
    ["linux", { ID: "arch" }, /^sudo pacman -S .*vulkan-swrast/],
    ["linux", { ID: "opensuse-leap", ID_LIKE: "suse" }, /^sudo zypper install .*libvulkan_lvp/],
    ["linux", { ID: "ubuntu" }, /^sudo node scripts\/install-software-adapter\.mjs$/],
    ["darwin", {}, /^system_profiler/],
    ["win32", {}, /^start ms-settings/],
  ] as const)("names one command for %s %j", (platform, osRelease, command) => {
    const advice = adapterAdvice({ platform, osRelease, installer });
    expect(advice.command).toMatch(command);
    expect(advice.command).not.toContain("\n");
    expect(advice.why.length).toBeGreaterThan(10);
  });

  it.each([
    [{ ID: "ubuntu", VERSION_ID: "24.04" }, "sudo sh -c 'apt-get update && apt-get install -y mesa-vulkan-drivers'"],
    [
      { ID: "debian", VERSION_ID: "12", VERSION_CODENAME: "bookworm" },
      `sudo sh -c 'apt-get update && apt-get indextargets --format "deb \\$(REPO_URI) bookworm-backports main" "Created-By: Packages" "Release: bookworm" "Component: main" | sort -u > /etc/apt/sources.list.d/bookworm-backports.list && apt-get update && apt-get install -y mesa-vulkan-drivers -t bookworm-backports'`,
    ],
  ])("names the steps of apt where the repository with its installer is not there: %j", (osRelease, command) => {
    expect(adapterAdvice({ platform: "linux", osRelease }).command).toBe(command);
  });

  it("quotes a path with a space", () => {
    const { command } = adapterAdvice({ platform: "linux", osRelease: { ID: "debian" }, installer: "my files/x.mjs" });
    expect(command).toBe('sudo node "my files/x.mjs"');
  });

  it("tells an old C library from a broken install", () => {
    const system = { platform: "linux", osRelease: { ID: "debian" } };
    expect(packageAdvice({ ...system, message: "version `GLIBCXX_3.4.30' not found" })).toMatch(/newer system/);
    expect(packageAdvice({ ...system, message: "Cannot find package 'webgpu'" })).toMatch(/npm install/);
    expect(packageAdvice({ platform: "linux", osRelease: { ID: "alpine" }, message: "" })).toMatch(/glibc/);
  });

  it("remarks on a card that Vulkan does not show, and on a variable that hides drivers", () => {
    const remarks = (devices: string[], env = {}) => driverRemarks({ platform: "linux", devices, env });
    expect(remarks(["null", "nvidiactl"])).toEqual([expect.stringMatching(/NVIDIA/)]);
    expect(remarks(["kfd"])).toEqual([expect.stringMatching(/AMD/)]);
    expect(remarks([], { VK_ICD_FILENAMES: "/gone.json" })).toEqual([expect.stringContaining("/gone.json")]);
    expect(remarks(["null"], { VK_ICD_FILENAMES: "" })).toEqual([]);
  });
});
