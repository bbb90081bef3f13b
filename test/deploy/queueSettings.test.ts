import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../fcn/data/trees.js";
import { readManifests } from "../support/manifests.js";
import { freePort, SERVERS, sleep, TESTED } from "../support/queueServer.js";

const deploy = join(import.meta.dirname, "../../deploy");
const folder = await temporaryFolder("fcn-deploy-queue");
const PASSWORD = "a long one";

/** Starts a server, calls `use` when it takes connections, and ends it. */
async function withServer(program: string, args: readonly string[], use: () => Promise<void>): Promise<void> {
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (printed += text));
  try {
    while (!/ready to accept connections/i.test(printed)) {
      if (child.exitCode !== null) throw new Error(printed);
      await sleep(20);
    }
    await use();
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, "exit");
    }
  }
}

/** Writes settings with folders and addresses of this machine. Each text to be replaced must be there. */
function adapted(text: string, replaced: Readonly<Record<string, string>>): string {
  const path = join(folder, "valkey.conf");
  for (const [from, to] of Object.entries(replaced)) {
    expect(text).toContain(from);
    text = text.replaceAll(from, to);
  }
  writeFileSync(path, text);
  return path;
}

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(SERVERS.length === 0).each(TESTED)("the settings for the queue, by %s", (program) => {
  it("in a cluster keep jobs and ask for the password", async () => {
    const manifests = readManifests(readFileSync(join(deploy, "kubernetes/queue.yaml"), "utf8"));
    const conf = manifests.find(({ kind }) => kind === "ConfigMap")?.data["valkey.conf"];
    const [container] = manifests.find(({ kind }) => kind === "StatefulSet")?.spec.template.spec.containers ?? [];
    const port = await freePort();
    const args = (container.args as string[]).slice(1).map((arg) => arg.replace("$(QUEUE_PASSWORD)", PASSWORD));
    args[0] = adapted(conf, { "dir /data": `dir ${folder}` });
    await withServer(program, [...args, "--port", `${port}`], async () => {
      const address = `redis://127.0.0.1:${port}`;
      await expect(fcn.queue.jobs(address)).rejects.toMatchObject({ code: "no-queue" });
      vi.stubEnv("FCN_QUEUE_PASSWORD", PASSWORD);
      expect(await fcn.queue.jobs(address)).toMatchObject({ keepsJobs: true });
    });
  });

  it("on a machine keep jobs, ask for the password, and take encrypted connections alone", async () => {
    const secrets = join(folder, "etc");
    mkdirSync(secrets, { recursive: true });
    writeFileSync(join(secrets, "password.conf"), `requirepass "${PASSWORD}"\n`);
    const [key, certificate] = [join(secrets, "queue.key"), join(secrets, "queue.crt")];
    const subject = ["-subj", "/CN=queue", "-addext", "subjectAltName=IP:127.0.0.1"];
    const files = ["-keyout", key, "-out", certificate, "-days", "2"];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", ...files, ...subject], {
      stdio: "ignore",
    });
    const port = await freePort();
    const conf = adapted(readFileSync(join(deploy, "machines/valkey.conf"), "utf8"), {
      "/etc/fcn/ca.crt": certificate,
      "/etc/fcn": secrets,
      "bind 127.0.0.1 10.0.0.1": "bind 127.0.0.1",
      "tls-port 6379": `tls-port ${port}`,
      "dir /var/lib/valkey": `dir ${folder}`,
    });
    await withServer(program, [conf], async () => {
      vi.stubEnv("FCN_QUEUE_PASSWORD", PASSWORD);
      await expect(fcn.queue.jobs(`redis://127.0.0.1:${port}`)).rejects.toMatchObject({ code: "no-queue" });
      vi.stubEnv("FCN_QUEUE_CA", certificate);
      expect(await fcn.queue.jobs(`rediss://127.0.0.1:${port}`)).toMatchObject({ keepsJobs: true });
    });
  });
});
