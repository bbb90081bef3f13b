import { join } from "node:path";
import * as fcn from "@fcn/core";
import { createDevice, type Device, TensorError } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unlessAborted } from "../../../packages/fcn/src/async/abort.js";
import { greyPng, rgbPng, temporaryFolder, writeTree } from "../data/trees.js";
import { makeImage, RAW, smallNet } from "../prediction/nets.js";

const root = await temporaryFolder("fcn-abort");
const REASON = new TensorError({ code: "aborted", message: "that is enough", fix: "ask for more" });

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const samples = Array.from({ length: 30 }, (_, i): fcn.data.SegmentationSample => {
  return { name: `${i}`, image: makeImage(24, 32, i), labels: new Uint8Array(24 * 32).fill(i % 3) };
});

/** Counts the passes of a net, and calls `onPass` with each number. */
function countPasses(net: fcn.models.GraphNet, onPass = (_: number): void => {}): () => number {
  const forward = net.forward.bind(net);
  let passes = 0;
  net.forward = (x) => {
    onPass(++passes);
    return forward(x);
  };
  return () => passes;
}

describe("a signal", () => {
  it("ends an evaluation among its images, and leaves nothing on the device", async () => {
    using net = smallNet(device);
    net.train();
    const passes = countPasses(net);
    const before = device.memory().liveTensors;
    const stop = new AbortController();
    const onProgress = (done: number): void => void (done === 3 && stop.abort(REASON));
    // What may be told and left out: the reason is no failure of a sample.
    const onFailure = (): void => expect.unreachable();
    const options = { preprocessing: RAW, numClasses: 3, signal: stop.signal, onProgress, onFailure };
    await expect(fcn.evaluate(net, samples, options)).rejects.toBe(REASON);
    expect(passes()).toBeLessThan(10);
    expect(net.training).toBe(true);
    expect(device.memory().liveTensors).toBe(before);
  });

  it("ends the prediction of an image between two tiles", async () => {
    using net = smallNet(device);
    const stop = new AbortController();
    const passes = countPasses(net, (pass) => void (pass === 4 && stop.abort(REASON)));
    const before = device.memory().liveTensors;
    const options = { preprocessing: RAW, tile: 16, overlap: 4, signal: stop.signal };
    await expect(fcn.predict(net, makeImage(64, 64), options)).rejects.toBe(REASON);
    expect(passes()).toBe(4);
    expect(device.memory().liveTensors).toBe(before);
    await expect(fcn.predict(net, makeImage(8, 8), options)).rejects.toBe(REASON);
    expect(passes()).toBe(4);
  });

  it("ends a series of images, and is no failure of one of them", async () => {
    using net = smallNet(device);
    const stop = new AbortController();
    const images = samples.map(({ image }) => image);
    const seen: unknown[] = [];
    const all = async (): Promise<void> => {
      for await (const { error } of fcn.predictAll(net, images, { preprocessing: RAW, signal: stop.signal })) {
        seen.push(error);
        if (seen.length === 2) stop.abort(REASON);
      }
    };
    await expect(all()).rejects.toBe(REASON);
    expect(seen).toEqual([undefined, undefined]);
  });

  it.each([0, 2])("ends the look at all masks, and the check of all images, with %d workers", async (workers) => {
    const folder = join(root, `${workers}`);
    const mask = greyPng(300, 300, (x, y) => (x ^ y) & 3);
    const image = rgbPng(300, 300, (x, y) => x * y);
    const names = Array.from({ length: 40 }, (_, i) => `${i}`);
    const files = names.flatMap((name) => [
      [`images/${name}.png`, image] as const,
      [`masks/${name}.png`, mask] as const,
    ]);
    await writeTree(folder, Object.fromEntries(files));
    const opening = new AbortController();
    setTimeout(() => opening.abort(REASON));
    await expect(fcn.data.open(folder, { workers, signal: opening.signal })).rejects.toBe(REASON);
    await expect(fcn.data.open(folder, { workers, signal: opening.signal })).rejects.toBe(REASON);
    const checking = new AbortController();
    let seen = 0;
    const onProgress = (done: number): void => {
      seen = done;
      if (done === 3) checking.abort(REASON);
    };
    const options = { workers, signal: checking.signal, onProgress };
    await expect(fcn.data.check(folder, options)).rejects.toBe(REASON);
    expect(seen).toBeLessThan(20);
  });

  it("leaves no listener after where the work ends before it", async () => {
    const stop = new AbortController();
    let listeners = 0;
    const { signal } = stop;
    const [on, off] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    signal.addEventListener = (type: string, listener: EventListener): void => {
      listeners++;
      on(type, listener);
    };
    signal.removeEventListener = (type: string, listener: EventListener): void => {
      listeners--;
      off(type, listener);
    };
    expect(await unlessAborted(Promise.resolve(5), signal)).toBe(5);
    await expect(unlessAborted(Promise.reject(REASON), signal)).rejects.toBe(REASON);
    expect(listeners).toBe(0);
  });
});
