import * as t from "@fcn/tensor";
import { afterEach, expect, it, vi } from "vitest";

afterEach(() => {
  vi.unstubAllEnvs();
});

async function deviceWith(fault: string): Promise<t.Device> {
  vi.stubEnv("FCN_SIMULATE", fault);
  return await t.createDevice({ quiet: true });
}

it("refuses the N-th piece of memory, whether or not a free one would do, and goes on after it", async () => {
  using device = await deviceWith("out-of-memory@3");
  device.zeros([8]).dispose();
  const first = device.ones([8]);
  const refused = device.full([8], 2);
  const later = device.full([8], 3);
  await expect(device.sync()).rejects.toMatchObject({
    code: "out-of-memory",
    message: expect.stringContaining("a tensor of shape [8]: the refusal is simulated"),
  });
  expect(() => t.neg(refused)).toThrow(expect.objectContaining({ code: "out-of-memory" }));
  expect([(await first.data())[7], (await later.data())[7]]).toEqual([1, 3]);
});

it("destroys the device at the N-th batch of commands", async () => {
  using device = await deviceWith("device-lost@2");
  const x = device.ones([4]);
  expect(await x.data()).toEqual(new Float32Array(4).fill(1));
  await expect(t.neg(x).data()).rejects.toMatchObject({ code: "device-lost" });
  expect(() => t.neg(x)).toThrow(expect.objectContaining({ code: "device-lost" }));
});

it.each(["out-of-memory", "device-lost@0", "fire@1", "device-lost@1.5"])("refuses the fault %s", async (fault) => {
  await expect(deviceWith(fault)).rejects.toMatchObject({
    code: "invalid-argument",
    message: expect.stringContaining("FCN_SIMULATE"),
  });
});
