import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { beforeAll, describe, expect, it } from "vitest";
import { openPlace } from "../../../packages/fcn/src/places/open.js";
import { fcn as command } from "../../support/deviceCommandLine.js";
import { setEnv } from "../../support/places.js";
import { endWorkers, SERVERS, startWorker, useQueueAndBucket } from "../../support/queueServer.js";
import { fillWeights } from "../../support/random-weights.js";
import { rgbPng, temporaryFolder } from "../data/trees.js";

const root = await temporaryFolder("fcn-queue-places");

/** The files of a bucket below a prefix, by what follows it. */
async function filesBelow(prefix: string): Promise<Record<string, string>> {
  const place = await openPlace(`s3://bucket/${prefix}`);
  const files: Record<string, string> = {};
  for await (const { name } of place.list()) files[name] = Buffer.from(await place.read(name)).toString("base64");
  return files;
}

describe.skipIf(SERVERS.length === 0)("workers that read and write a bucket", () => {
  const servers = useQueueAndBucket();
  beforeAll(async () => {
    const device = await createDevice({ quiet: true });
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 4, widthMultiplier: 0.25 });
    fillWeights(net, "bucket");
    await fcn.saveModel(join(root, "net.safetensors"), net);
    device.destroy();
    const bucket = await openPlace("s3://bucket");
    await bucket.write("net.safetensors", await readFile(join(root, "net.safetensors")));
    for (let i = 0; i < 8; i++) {
      await bucket.write(
        `scenes/${i % 2}/${i}.png`,
        rgbPng(50 + i, 60, (x, y) => (x * 77 + y * 991 * (i + 1)) & 0xffffff),
      );
    }
    await bucket.write("scenes/broken.png", new TextEncoder().encode("no image"));
  });

  const timesRead = (): number => servers.s3.log().match(/net\.safetensors\?x-id=GetObject/g)?.length ?? 0;

  it("leave there what one machine leaves, byte for byte", async () => {
    const given = [
      "predict",
      "s3://bucket/scenes/",
      "--weights",
      "s3://bucket/net.safetensors",
      "--save",
      "labels,summary",
    ];
    const alone = await command([...given, "--out", "s3://bucket/alone"], { env: servers.s3.env });
    // A command takes back what it was given of the environment, with all else.
    setEnv(servers.s3.env);
    await startWorker(servers.server.address, "--root", "s3://bucket");
    await startWorker(servers.server.address, "--root", "s3://bucket");
    const before = timesRead();
    const many = await command(
      [...given, "--out", "s3://bucket/many", "--queue", servers.server.address, "--chunk", "2"],
      {
        env: servers.s3.env,
      },
    );
    expect([many.code, alone.code]).toEqual([1, 1]);
    // The command that asks reads the weights for their digest, and each worker once for all its chunks.
    expect(timesRead() - before).toBeGreaterThanOrEqual(2);
    expect(timesRead() - before).toBeLessThanOrEqual(1 + 2);
    expect(many.stderr).toMatch(/^error: s3:\/\/bucket\/scenes\/broken\.png: /m);
    setEnv(servers.s3.env);
    const files = await filesBelow("many");
    expect(Object.keys(files)).toHaveLength(17);
    expect(files).toEqual(await filesBelow("alone"));
  });

  it("are given weights of the machine that asks, of which nothing stays", async () => {
    setEnv(servers.s3.env);
    await endWorkers();
    await startWorker(servers.server.address, "--root", "s3://bucket");
    const given = [
      "predict",
      "s3://bucket/scenes/",
      "--weights",
      join(root, "net.safetensors"),
      "--save",
      "labels,summary",
    ];
    const { code, stderr } = await command(
      [...given, "--out", "s3://bucket/given", "--queue", servers.server.address],
      {
        env: servers.s3.env,
      },
    );
    expect([code, stderr]).toEqual([1, expect.stringContaining("1 of 9 images")]);
    setEnv(servers.s3.env);
    expect(await filesBelow("given")).toEqual(await filesBelow("alone"));
  });

  it("refuse addresses that are not below their roots", async () => {
    await endWorkers();
    await startWorker(servers.server.address, "--root", "s3://bucket/scenes", "--patience", "1");
    const given = ["s3://bucket/scenes/", "--weights", "s3://bucket/net.safetensors", "--out", "s3://bucket/out"];
    const { code, stderr } = await command(["predict", ...given, "--queue", servers.server.address]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: s3:\/\/bucket\/out: the address is not below a root/m);
  });

  it("wait for a bucket that does not answer, and leave no image out", async () => {
    await endWorkers();
    const proxy = await startProxy(Number(new URL(servers.s3.env.AWS_ENDPOINT_URL_S3 as string).port));
    setEnv({ ...servers.s3.env, AWS_ENDPOINT_URL_S3: proxy.url, AWS_MAX_ATTEMPTS: "1" });
    await startWorker(servers.server.address, "--root", "s3://bucket", root);
    const told = new Set<string>();
    let isOpened = false;
    const options: fcn.queue.QueuePredictOptions = {
      ...{ queue: servers.server.address, weights: join(root, "net.safetensors"), save: ["labels"] },
      ...{ out: join(root, "waited"), chunk: 2, onStart: proxy.close },
      onProgress: ({ problem }) => {
        if (problem) told.add(problem.message);
        if (!problem || isOpened) return;
        isOpened = true;
        void proxy.open();
      },
    };
    const { images, failed, reports } = await fcn.queue.predict(["s3://bucket/scenes/"], options);
    proxy.close();
    expect([...told][0]).toMatch(/^s3:\/\/bucket\/scenes\/.*does not answer/);
    expect([images, failed]).toEqual([9, 1]);
    expect(reports?.find((report) => "error" in report)?.input).toBe("s3://bucket/scenes/broken.png");
  });
});

/** Passes on what reaches a port while it is open. */
async function startProxy(to: number) {
  const sockets = new Set<Socket>();
  const pass = (from: Socket): void => {
    const target = connect(to, "127.0.0.1");
    for (const socket of [from, target]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    from.pipe(target).pipe(from);
  };
  const server = createServer(pass).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async open(): Promise<void> {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    close(): void {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
