import { describe, expect, it } from "vitest";
import { adapterStep, needsInstall, packagesStep, readProbe } from "../../scripts/lib/setup-plan.mjs";

describe("needsInstall", () => {
  it.each([
    [{ lockTime: 5, installedTime: null, linked: false }, true],
    [{ lockTime: null, installedTime: null, linked: false }, true],
    [{ lockTime: 5, installedTime: 4, linked: true }, true],
    [{ lockTime: 5, installedTime: 6, linked: false }, true],
    [{ lockTime: 5, installedTime: 6, linked: true }, false],
    [{ lockTime: 5, installedTime: 5, linked: true }, false],
  ])("%j -> %s", (state, wanted) => {
    expect(needsInstall(state)).toBe(wanted);
  });
});

describe("adapterStep", () => {
  const none = { found: false, reason: "no-adapter" };
  const user = { family: "debian", root: false, sudo: false, installed: false };

  it("installs nothing when there is an adapter, whoever asks", () => {
    for (const root of [true, false]) expect(adapterStep({ found: true }, { ...user, root, sudo: true })).toBe("ready");
  });

  it("installs on Debian with the right to", () => {
    expect(adapterStep(none, { ...user, root: true })).toBe("install");
    expect(adapterStep(none, { ...user, sudo: true })).toBe("install-with-sudo");
    expect(adapterStep({ found: false, reason: "crash" }, { ...user, root: true })).toBe("install");
  });

  it("advises without the right, elsewhere, and after an install that did not help", () => {
    expect(adapterStep(none, user)).toBe("advise");
    expect(adapterStep(none, { ...user, family: "fedora", root: true })).toBe("advise");
    expect(adapterStep(none, { ...user, root: true, installed: true })).toBe("advise");
  });

  it("does not take a package that does not load for a missing driver", () => {
    expect(adapterStep({ found: false, reason: "package" }, { ...user, root: true })).toBe("package");
  });
});

describe("readProbe", () => {
  it("takes the last line", () => {
    const stdout = 'chatter of a driver\n{"found":true,"software":false,"name":"card"}\n';
    expect(readProbe({ stdout, signal: null, status: 0 })).toEqual({ found: true, software: false, name: "card" });
  });

  it("names the signal or exit code of a probe that died", () => {
    expect(readProbe({ stdout: "", signal: "SIGSEGV", status: null })).toMatchObject({
      found: false,
      reason: "crash",
      message: expect.stringContaining("SIGSEGV"),
    });
    expect(readProbe({ stdout: "half a {", signal: null, status: 134 }).message).toContain("134");
  });
});

describe("packagesStep", () => {
  const user = { missing: ["a"], family: "debian", root: false, sudo: false };

  it("installs on Debian with the right to, advises otherwise, and does nothing where nothing is absent", () => {
    expect(packagesStep({ ...user, root: true })).toBe("install");
    expect(packagesStep({ ...user, sudo: true })).toBe("install");
    expect(packagesStep(user)).toBe("advise");
    expect(packagesStep({ ...user, family: "fedora", root: true })).toBe("advise");
    expect(packagesStep({ ...user, missing: [], family: "macos" })).toBe("ready");
  });
});
