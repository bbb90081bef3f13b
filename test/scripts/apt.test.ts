import { describe, expect, it } from "vitest";
import {
  backportsStanza,
  hasBackports,
  majorVersion,
  nextStep,
  parseCandidate,
  parseDeb822,
  parseOneLine,
  parseSources,
} from "../../scripts/lib/apt.mjs";

const DEB822 = `# See the manual page
Types: deb
# an aside between two fields
URIs: http://archive.test/packages
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.test/packages-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

const BOOKWORM = { ID: "debian", VERSION_CODENAME: "bookworm", PRETTY_NAME: "Debian 12" };
const STOCK = "22.3.6-1+deb12u2";
const BACKPORT = "25.0.7-2~bpo12+1";

describe("package versions", () => {
  it.each([
    ["25.0.7-2~bpo12+1", 25],
    ["1:26.1.0-1", 26],
    ["22.3.6-1+deb12u2", 22],
    ["", 0],
  ])("reads the major version of %j", (version, major) => {
    expect(majorVersion(version)).toBe(major);
  });

  it("reads the candidate of apt-cache policy", () => {
    const policy = `mesa-vulkan-drivers:\n  Installed: (none)\n  Candidate: ${STOCK}\n  Version table:\n     ${STOCK} 500\n`;
    expect(parseCandidate(policy)).toBe(STOCK);
    expect(parseCandidate("mesa-vulkan-drivers:\n  Installed: (none)\n  Candidate: (none)\n")).toBeNull();
    expect(parseCandidate("")).toBeNull();
  });
});

describe("apt sources", () => {
  it("reads deb822 stanzas with comments", () => {
    const sources = parseDeb822(DEB822);
    expect(sources).toHaveLength(2);
    expect(sources[0]).toEqual({
      enabled: true,
      types: ["deb"],
      uris: ["http://archive.test/packages"],
      suites: ["bookworm", "bookworm-updates"],
      components: ["main"],
      options: { "signed-by": "/usr/share/keyrings/debian-archive-keyring.gpg" },
    });
  });

  it("reads one-line entries with options", () => {
    const [first, second] = parseOneLine(
      "# deb http://commented.test/ bookworm main\n" +
        "deb [arch=amd64,arm64 signed-by=/k.gpg trusted=yes] http://archive.test/packages bookworm main contrib # note\n" +
        "deb-src http://archive.test/packages bookworm main\n",
    );
    expect(first).toEqual({
      enabled: true,
      types: ["deb"],
      uris: ["http://archive.test/packages"],
      suites: ["bookworm"],
      components: ["main", "contrib"],
      options: { "signed-by": "/k.gpg", trusted: "yes", architectures: "amd64 arm64" },
    });
    expect(second?.types).toEqual(["deb-src"]);
  });

  it("ignores files that apt ignores", () => {
    expect(parseSources("debian.sources.disabled", DEB822)).toEqual([]);
    expect(parseSources("debian.sources", DEB822)).toHaveLength(2);
  });
});

describe("the backports entry", () => {
  it("is the machine's own mirror and key with another suite", () => {
    expect(backportsStanza(parseDeb822(DEB822), "bookworm")).toBe(
      "Types: deb\nURIs: http://archive.test/packages\nSuites: bookworm-backports\nComponents: main\n" +
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n",
    );
  });

  it("keeps an inline key", () => {
    const key = "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n -----END PGP PUBLIC KEY BLOCK-----";
    const text = `Types: deb\nURIs: http://m.test/d\nSuites: bookworm\nComponents: main\nSigned-By:${key}\n`;
    const stanza = backportsStanza(parseDeb822(text), "bookworm");
    expect(stanza).toContain(`Signed-By: ${key}\n`);
    expect(parseDeb822(stanza ?? "")[0]?.options).toEqual(parseDeb822(text)[0]?.options);
  });

  it("is not made from security, disabled or source-only entries", () => {
    const text =
      "deb http://m.test/s bookworm-security main\ndeb-src http://m.test/d bookworm main\ndeb http://m.test/e bookworm contrib\n";
    const disabled = parseDeb822(`Enabled: no\n${DEB822.split("\n\n")[0]}`);
    expect(backportsStanza([...parseOneLine(text), ...disabled], "bookworm")).toBeNull();
  });

  it("is recognised when it is there", () => {
    expect(hasBackports(parseDeb822(DEB822), "bookworm")).toBe(false);
    expect(hasBackports(parseOneLine("deb http://m.test/d bookworm-backports main"), "bookworm")).toBe(true);
  });
});

describe("the next step towards Mesa", () => {
  const sources = parseDeb822(DEB822);
  const state = { osRelease: BOOKWORM, installed: null, candidate: STOCK, backports: STOCK, sources };

  it("leads a stock Debian 12 through backports to an installed driver", () => {
    expect(nextStep(state).step).toBe("enable-backports");
    const enabled = [...sources, ...parseDeb822(nextStep(state).stanza ?? "")];
    const next = { ...state, sources: enabled, backports: BACKPORT };
    expect(nextStep(next)).toEqual({ step: "install", target: "bookworm-backports" });
    expect(nextStep({ ...next, installed: BACKPORT })).toEqual({ step: "none" });
  });

  it("installs plainly where the release itself is new enough", () => {
    const osRelease = { ID: "ubuntu", VERSION_CODENAME: "noble", PRETTY_NAME: "Ubuntu 24.04" };
    expect(nextStep({ ...state, osRelease, candidate: "25.2.8-0ubuntu0.24.04.1" })).toEqual({ step: "install" });
  });

  it("replaces an installed driver that is too old", () => {
    expect(nextStep({ ...state, installed: STOCK, candidate: STOCK }).step).toBe("enable-backports");
  });

  it("gives up with the versions where nothing is new enough", () => {
    const ubuntu = { ID: "ubuntu", VERSION_CODENAME: "jammy", PRETTY_NAME: "Ubuntu 22.04" };
    const given = nextStep({ ...state, osRelease: ubuntu, candidate: "23.2.1-1ubuntu3" });
    expect(given).toEqual({ step: "give-up", reason: "Ubuntu 22.04 offers Mesa 23.2.1-1ubuntu3" });
    const old = nextStep({ ...state, sources: [...sources, ...parseDeb822(nextStep(state).stanza ?? "")] });
    expect(old).toEqual({ step: "give-up", reason: expect.stringContaining(`its backports offer Mesa ${STOCK}`) });
    expect(nextStep({ ...state, sources: [] }).reason).toContain('no apt source for "bookworm main"');
  });
});
