import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "deploy/Dockerfile"), "utf8");

/** What is wrong with a Dockerfile: what the linter of editors finds, and what it does not look for. */
function problems(dockerfile: string): string[] {
  const found = validate(dockerfile).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
  const lines = dockerfile
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll("\\\n", " ")
    .split("\n");
  const users = lines.flatMap((line) => /^USER (\S+)/.exec(line)?.[1] ?? []);
  if (!/^[1-9]\d*(:|$)/.test(users.at(-1) ?? "")) found.push("the last user is to be a number that is not root's");
  for (const line of lines) {
    if (/^FROM (?!\S+:[\w.-]*\d)/.test(line)) found.push(`no version: ${line}`);
    if (
      /apt-get install/.test(line) &&
      !/apt-get update.*--no-install-recommends.*rm -rf \/var\/lib\/apt\/lists/.test(line)
    )
      found.push(`lists of packages stay: ${line}`);
    if (/^(ARG|ENV) .*(PASSWORD|SECRET|TOKEN|ACCESS_KEY)/.test(line)) found.push(`a secret: ${line}`);
  }
  return found;
}

describe("the Dockerfile of a worker", () => {
  it("has nothing that its linter minds", () => expect(problems(text)).toEqual([]));

  it.each([
    ["WORKDIR /data", "WORKDIR", /no arguments/],
    ["COPY . .", "COPPY . .", /COPPY/],
    ['ENTRYPOINT ["tini", "--", "fcn"]', 'ENTRYPOINT ["tini"]\nENTRYPOINT ["fcn"]', /only be one ENTRYPOINT/],
    ["USER 1000:1000", "USER root", /last user/],
    ["FROM node:20-trixie-slim\n", "FROM node:latest\n", /no version/],
    ["rm -rf /var/lib/apt/lists/*", "true", /lists of packages/],
    ["ENV ", "ENV FCN_QUEUE_PASSWORD=1 ", /a secret/],
  ])("is refused with %j as %j", (from, to, problem) => {
    expect(text).toContain(from);
    expect(problems(text.replace(from, to)).join("\n")).toMatch(problem);
  });

  it("copies what is there", () => {
    const kept = readFileSync(join(root, "deploy/Dockerfile.dockerignore"), "utf8").match(/^!.*$/gm) ?? [];
    expect(kept.length).toBeGreaterThan(5);
    for (const name of kept) if (!name.includes("*")) expect(existsSync(join(root, name.slice(1))), name).toBe(true);
    const packages = [...text.matchAll(/--workspace (\S+)/g)].map(([, path]) => path as string);
    expect(packages.length).toBe(3);
    for (const path of packages) expect(existsSync(join(root, path, "package.json"))).toBe(true);
  });

  it("installs the packages that a queue and a bucket ask for", () => {
    const { peerDependencies } = JSON.parse(readFileSync(join(root, "packages/fcn/package.json"), "utf8"));
    for (const [name, range] of Object.entries(peerDependencies as Record<string, string>)) {
      expect(text).toContain(`${name}@${/\d+/.exec(range)?.[0]}`);
    }
  });
});
