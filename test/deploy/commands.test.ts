import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../fcn/data/trees.js";
import { fcn } from "../support/commandLine.js";
import { readManifests } from "../support/manifests.js";

const root = join(import.meta.dirname, "../..");
const folder = await temporaryFolder("fcn-deploy");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const SERVICE = "deploy/machines/fcn-worker.service";

/** The command lines of fcn in the files, by where they are. */
function commandLines(): Map<string, string[]> {
  const lines = new Map<string, string[]>();
  for (const file of readdirSync(join(root, "deploy/kubernetes"))) {
    for (const { kind, spec } of readManifests(read(`deploy/kubernetes/${file}`))) {
      for (const { name, image, args } of spec?.template?.spec.containers ?? []) {
        if (/\/fcn:/.test(image)) lines.set(`${kind} ${name}`, args);
      }
    }
  }
  lines.set(SERVICE, (/^ExecStart=\S*\/fcn (.*)$/m.exec(read(SERVICE))?.[1] ?? "").split(" "));
  lines.set("deploy/Dockerfile", JSON.parse(/^CMD (.*)$/m.exec(read("deploy/Dockerfile"))?.[1] ?? "") as string[]);
  const guide = read("docs/queue.md").replaceAll(/\\\n\s*/g, "");
  for (const [line, words = ""] of guide.matchAll(/^(?:[A-Z_]+=\S+ )*(?:npx )?fcn (.*?)(?:\s+#.*)?$/gm)) {
    lines.set(`docs/queue.md: ${line}`, words.split(/\s+/));
  }
  return lines;
}

/** The flags that a command does not have. */
async function unknownFlags([command = "", ...words]: readonly string[]): Promise<string[]> {
  const { code, stdout } = await fcn([command, "--help"]);
  if (code !== 0) return [command];
  const known = new Set(stdout.match(/--[\w-]+/g));
  return words.filter((word) => word.startsWith("--") && !known.has(word));
}

/** What the script for machines without Kubernetes asks of Docker, a word a line. */
function dockerRuns(...gpus: string[]): string[][] {
  const docker = join(folder, "docker");
  writeFileSync(docker, '#!/bin/sh\nprintf "%s\\n" "$@" END\n');
  chmodSync(docker, 0o755);
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
  const { status, stdout } = spawnSync("sh", [join(root, "deploy/machines/worker.sh"), ...gpus], { env });
  expect(status).toBe(0);
  const runs = String(stdout).split("\nEND\n").slice(0, -1);
  return runs.map((run) => run.split("\n"));
}

describe("the command lines of fcn", () => {
  let lines: Map<string, string[]>;
  beforeAll(() => {
    lines = commandLines();
    for (const run of dockerRuns()) lines.set("deploy/machines/worker.sh", run.slice(run.indexOf("worker")));
  });

  it("have flags that there are", async () => {
    expect(lines.size).toBeGreaterThan(8);
    for (const [where, words] of lines) expect(await unknownFlags(words), where).toEqual([]);
    expect(await unknownFlags(["worker", "--queues", "redis://host"])).toEqual(["--queues"]);
    expect(await unknownFlags(["wroker", "--queue"])).toEqual(["wroker"]);
  });

  it("of workers name a queue and roots, and never a password", () => {
    const workers = [...lines].filter(
      ([where, [command]]) => command === "worker" && !where.startsWith("docs") && !where.endsWith("Dockerfile"),
    );
    expect(workers.length).toBe(3);
    for (const [where, words] of workers) {
      expect(words[words.indexOf("--queue") + 1], where).toMatch(/^rediss?:\/\/[\w.-]+:6379$/);
      expect(words, where).toContain("--root");
    }
  });
});

describe("machines without Kubernetes", () => {
  it("run a container for each GPU that is named", () => {
    const runs = dockerRuns("0", "1");
    expect(runs.map((run) => run[run.indexOf("--gpus") + 1])).toEqual(["device=0", "device=1"]);
    for (const run of runs) expect(run.slice(0, 2)).toEqual(["run", "--detach"]);
    expect(new Set(runs.map((run) => run[run.indexOf("--hostname") + 1])).size).toBe(2);
  });

  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
  it.skipIf(!hasSystemd)("have a unit that systemd takes", () => {
    const verify = (text: string): string => {
      const file = join(folder, "fcn-worker.service");
      writeFileSync(file, text.replace("/opt/fcn/node_modules/.bin/fcn", process.execPath));
      return String(spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" }).stderr).trim();
    };
    expect(verify(read(SERVICE))).toBe("");
    expect(verify(read(SERVICE).replace("TimeoutStopSec", "TimeoutStop"))).toMatch(/Unknown key (name )?'TimeoutStop'/);
  });
});
