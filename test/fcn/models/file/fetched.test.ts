import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as fcn from "@fcn/core";
import { createDevice, type Device, io } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { RAW, smallNet } from "../../prediction/nets.js";
import { weightsOf } from "../../training/states.js";

let device: Device;
let bytes: Uint8Array;
let net: ReturnType<typeof smallNet>;
let server: Server;
let origin: string;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
  net = smallNet(device);
  bytes = await fcn.encodeModel(net, { preprocessing: RAW });
  server = createServer(({ url }, answer) => {
    if (url === "/net.safetensors") answer.writeHead(200, { "content-length": bytes.length }).end(bytes);
    else if (url === "/unsized") answer.writeHead(200).end(bytes);
    else if (url === "/page") answer.writeHead(200).end("<!doctype html><title>Sign in</title>");
    else if (url === "/cut") {
      answer.writeHead(200, { "content-length": bytes.length });
      answer.write(bytes.subarray(0, 1000), () => answer.destroy());
    } else if (url === "/slow") answer.writeHead(200, { "content-length": bytes.length }).write(bytes.subarray(0, 100));
    else answer.writeHead(404).end("no");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  device.destroy();
});

it("a model is fetched from an address, with progress", async () => {
  const address = `${origin}/net.safetensors`;
  for (const source of [address, new URL(address), await fetch(address)]) {
    const seen: fcn.LoadProgress[] = [];
    const { model, metadata } = await fcn.loadModel(source, device, { onProgress: (now) => seen.push(now) });
    expect(await weightsOf(model)).toEqual(await weightsOf(net));
    expect(metadata.preprocessing).toEqual(RAW);
    expect(seen.at(-1)).toEqual({ loaded: bytes.length, total: bytes.length });
    expect(seen.map(({ loaded }) => loaded)).toEqual(seen.map(({ loaded }) => loaded).sort((a, b) => a - b));
    model.dispose();
  }
  const seen: fcn.LoadProgress[] = [];
  (await fcn.loadModel(`${origin}/unsized`, device, { onProgress: (now) => seen.push(now) })).model.dispose();
  expect(seen.at(-1)).toEqual({ loaded: bytes.length, total: undefined });
});

it("what an address does not give is said with it", async () => {
  const refused = async (path: string, code: string, message: string): Promise<void> => {
    await expect(fcn.loadModel(`${origin}${path}`, device), path).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`loadModel: ${origin}${path}: ${message}`),
    });
  };
  await refused("/none", "download-refused", "the server answered 404 Not Found");
  await refused("/page", "download-refused", "the server sent a web page (HTML), not a file");
  await refused("/cut", "no-network", "the connection failed after ");
  const closed = "http://127.0.0.1:1/net.safetensors";
  await expect(fcn.loadModel(closed, device)).rejects.toMatchObject({
    code: "no-network",
    message: expect.stringContaining(`loadModel: ${closed}: the connection failed before a byte came`),
  });
});

it("a signal ends the loading, and an error of the progress comes through", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const loading = fcn.loadModel(`${origin}/slow`, device, {
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  await expect(loading).rejects.toBe(reason);
  await expect(fcn.loadModel(`${origin}/net.safetensors`, device, { signal: AbortSignal.abort(reason) })).rejects.toBe(
    reason,
  );
  const fault = new Error("a fault of the page");
  await expect(
    fcn.loadModel(`${origin}/net.safetensors`, device, {
      onProgress: () => {
        throw fault;
      },
    }),
  ).rejects.toBe(fault);
});

it("files of other kinds are named, with what to do", async () => {
  const pth = Uint8Array.from([0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0, 0]);
  const onnx = Uint8Array.from([8, 8, 0x12, 7, ...Buffer.from("pytorch"), 0x1a, 3, ...Buffer.from("2.1"), 0x3a, 0xff]);
  const told = async (content: Uint8Array, name: string): Promise<string> => {
    const file = new File([content.slice()], name);
    return fcn.loadModel(file, device).then(
      () => "loaded",
      (error: { code: string; message: string; fix: string }) => `${error.code} ${error.message} | ${error.fix}`,
    );
  };
  expect(await told(pth, "net.pth")).toMatch(
    /^unsupported-file loadModel: net\.pth: it is a PyTorch file \(\.pth\), not a safetensors file \| .*io\.loadWeights\(net, file\)$/,
  );
  expect(await told(onnx, "net.onnx")).toMatch(
    /^unsupported-file loadModel: net\.onnx: it is an ONNX model \(\.onnx\), not a safetensors file \| take the weights/,
  );
  expect(await told(await io.encodeSafetensors({ a: device.ones([2]) }), "a.safetensors")).toMatch(
    /^invalid-file loadModel: .*lacks model/,
  );
  const read = await io.readSafetensors(new Blob([(await io.encodeSafetensors({ a: device.ones([2]) })).slice()]));
  expect(read.a).toEqual({ dtype: "float32", shape: [2], data: Float32Array.of(1, 1) });
});
