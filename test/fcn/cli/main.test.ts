import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fcn } from "../../support/commandLine.js";

const root = fileURLToPath(new URL("../../../packages/fcn/", import.meta.url));

/** In a program of its own, since drivers are looked for once a process. */
function program(args: string[], env: Record<string, string> = {}) {
  const child = spawnSync(process.execPath, [`${root}bin/fcn.js`, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  // Dawn writes warnings of its own to standard error.
  const lines = child.stderr.split("\n").filter((line) => /^(error|fix): /.test(line));
  return { code: child.status, stdout: child.stdout, stderr: child.stderr, lines };
}

describe("the fcn command line", () => {
  it("returns help and version with 0", async () => {
    const help = await fcn(["--help"]);
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(/Usage: fcn .*doctor.*demo/s);
    expect(await fcn(["doctor", "--help"])).toMatchObject({ code: 0, stdout: expect.stringContaining("--json") });
    const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string };
    expect(await fcn(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  it.each([
    [["nope"], "error: unknown command 'nope'", "fix: see fcn --help"],
    [["nope", "--help"], "error: unknown command 'nope'", "fix: see fcn --help"],
    [["trian"], "error: unknown command 'trian'", "fix: did you mean train? see fcn --help"],
    [["data", "chek"], "error: unknown command 'chek'", "fix: did you mean check? see fcn data --help"],
    [["doctor", "--jsn"], "error: unknown option '--jsn'", "fix: did you mean --json? see fcn doctor --help"],
    [["help", "nope"], "error: unknown command 'nope'", "fix: see fcn --help"],
    [["data", "nope", "--help"], "error: unknown command 'nope'", "fix: see fcn data --help"],
    [["doctor", "--bad"], "error: unknown option '--bad'", "fix: see fcn doctor --help"],
    [["doctor", "more"], "error: too many arguments for 'doctor'", "fix: see fcn doctor --help"],
  ])("returns wrong usage %j with 2 and two lines", async (args, error, fix) => {
    const { code, stderr } = await fcn(args);
    expect(code).toBe(2);
    expect(stderr.startsWith(error)).toBe(true);
    expect(stderr.trimEnd().split("\n")).toHaveLength(2);
    expect(stderr.trimEnd().endsWith(fix)).toBe(true);
  });

  it("returns a missing command with its help and 2", async () => {
    expect(await fcn([])).toMatchObject({ code: 2, stderr: expect.stringContaining("Usage: fcn") });
  });
});

describe("fcn doctor", () => {
  it("describes the adapter that the tests run on", async () => {
    const { code, stdout } = await fcn(["doctor", "--json"]);
    expect(code).toBe(0);
    const diagnosis = JSON.parse(stdout) as { ok: boolean; adapters: { limits: Record<string, number> }[] };
    expect(diagnosis.ok).toBe(true);
    expect(diagnosis.adapters[0]?.limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 28);
  });

  it.runIf(process.platform === "linux")("fails with the remedy where there is no driver", () => {
    const nowhere = { VK_ICD_FILENAMES: "/nonexistent.json", VK_DRIVER_FILES: "/nonexistent.json" };
    const { code, stdout, lines, stderr } = program(["doctor"], nowhere);
    expect(code).toBe(1);
    expect(stdout).toMatch(/adapter +none/);
    expect(lines).toEqual([
      expect.stringMatching(/no WebGPU adapter.*VK_ICD_FILENAMES/),
      expect.stringMatching(/^fix: \S/),
    ]);
    expect(stderr).not.toContain("doctor.js:");
    expect(program(["doctor", "--verbose"], nowhere).stderr).toContain("doctor.js:");
  });
});
