import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { afterAll, describe, expect, it } from "vitest";
import { endWorkers, FcnProcess, QueueServer, SERVERS, sleep, startWorker } from "../../support/queueServer.js";
import { rgbPng, temporaryFolder, writeTree } from "../data/trees.js";

const [SPACE, HERE, THERE, ADDRESS] = ["fcn-test", "fcn-here", "fcn-there", "10.213.7"];
const ip = (...args: string[]): boolean => spawnSync("ip", args, { stdio: "ignore" }).status === 0;
const canCut = SERVERS.length > 0 && process.platform === "linux" && ip("netns", "add", SPACE);
if (!canCut) console.log("left out: a network that is cut, which takes root, ip and a server of queues");

/** Joins a name space of networks to this machine. */
function joinSpace(): void {
  ip("link", "add", HERE, "type", "veth", "peer", "name", THERE, "netns", SPACE);
  ip("addr", "add", `${ADDRESS}.1/24`, "dev", HERE);
  ip("link", "set", HERE, "up");
  ip("-n", SPACE, "addr", "add", `${ADDRESS}.2/24`, "dev", THERE);
  ip("-n", SPACE, "link", "set", THERE, "up");
}

afterAll(() => {
  if (canCut) ip("netns", "delete", SPACE);
});

describe.skipIf(!canCut)("a network that is cut", () => {
  it("costs no image and doubles none: another worker goes on, and the one behind the cut comes back", async () => {
    joinSpace();
    const root = await temporaryFolder("fcn-queue-network");
    const server = await QueueServer.start(SERVERS[0] as string, ["--protected-mode", "no"]);
    const device = await createDevice({ quiet: true });
    const weights = join(root, "net.safetensors");
    await fcn.saveModel(weights, fcn.models.create("fcn8s-small", device, { numClasses: 2, widthMultiplier: 0.25 }));
    device.destroy();
    const names = Array.from({ length: 60 }, (_, i) => `${i}.png`);
    const image = rgbPng(300, 300, (x, y) => x * y);
    await writeTree(join(root, "images"), Object.fromEntries(names.map((name) => [name, image])));
    try {
      const far = new FcnProcess(
        [
          "worker",
          "--queue",
          `redis://${ADDRESS}.1:${server.port}`,
          "--root",
          root,
          "--patience",
          "2",
          "--name",
          "far",
        ],
        { through: ["ip", "netns", "exec", SPACE] },
      );
      await far.printed(/ works for /);
      const given = ["--weights", weights, "--out", join(root, "out"), "--queue", server.address, "--chunk", "1"];
      const asking = new FcnProcess(["predict", join(root, "images"), ...given, "--json"]);
      await far.printed(/chunk \d+: 1 items/);
      ip("link", "set", HERE, "down");
      const before = far.stdout.length;
      await startWorker(server.address, "--root", root, "--patience", "2", "--name", "near");
      await sleep(4000);
      ip("link", "set", HERE, "up");
      const { length } = far.stdout;
      expect(await asking.code).toBe(0);
      const { images, reports } = JSON.parse(asking.stdout) as { images: number; reports: { input: string }[] };
      expect(images).toBe(names.length);
      expect(new Set(reports.map(({ input }) => input)).size).toBe(names.length);
      // Behind the cut at most the chunk at work was ended.
      expect(far.stdout.slice(before, length).split("\n").length).toBeLessThanOrEqual(2);
      await far.kill();
    } finally {
      await endWorkers();
      await server.stop();
    }
  });
});
