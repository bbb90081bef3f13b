import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as t from "@fcn/tensor";
import { emptyTensor } from "@fcn/tensor/internal";
import { afterEach, describe, expect, it, vi } from "vitest";
import { globals } from "webgpu";

/** A size that the drivers refuse themselves: above their limit once it is rounded up. */
const REFUSED = 2 ** 32 - 1;
const { prototype } = (globals as unknown as { GPUDevice: { prototype: GPUDevice } }).GPUDevice;

/** Asks the driver for a buffer that it cannot give wherever one of at least `bytes` is wanted. */
function refuseFrom(bytes: number, { usage = 0 } = {}): void {
  const { createBuffer } = prototype;
  vi.spyOn(prototype, "createBuffer").mockImplementation(function (this: GPUDevice, descriptor) {
    const isRefused = descriptor.size >= bytes && (descriptor.usage & usage) === usage;
    return createBuffer.call(this, isRefused ? { ...descriptor, size: REFUSED } : descriptor);
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

const MIB = 2 ** 20;
const BIG = [20 * MIB] as const; // 80 MiB

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(t.TensorError);
  expect(error).toMatchObject({ code: "out-of-memory", fix: expect.stringContaining("smaller batch") });
  return (error as Error).message;
}

describe("where the GPU has no memory for a tensor", () => {
  it("the next awaited call says so, once, and all other work goes on", async () => {
    using device = await t.createDevice({ quiet: true });
    const before = device.ones([3]);
    refuseFrom(80 * MIB);
    const big = device.full(BIG, 3);
    const after = t.add(before, 1);
    const used = t.relu(big);
    expect(await refusalOf(device.sync())).toMatch(
      /^full: could not allocate 80\.0 MiB for a tensor of shape \[20971520\]: .+/,
    );
    expect(await after.data()).toEqual(Float32Array.of(2, 2, 2));
    await device.sync();
    for (const lost of [big, used]) {
      expect(() => t.neg(lost)).toThrow(expect.objectContaining({ code: "out-of-memory" }));
      await refusalOf(lost.data());
      lost.dispose();
    }
    vi.restoreAllMocks();
    const small = device.tensor([1, 2]);
    expect(await t.mul(small, 2).data()).toEqual(Float32Array.of(2, 4));
    using again = device.full(BIG, 3);
    expect((await t.slice(again, [[0, 1]]).data())[0]).toBe(3);
  });

  it("a read, an assignment, a concatenation and a training step reject with it too", async () => {
    using device = await t.createDevice({ quiet: true });
    const x = device.ones([1, 8, 512, 512], { requiresGrad: true }); // 8 MiB
    refuseFrom(12 * MIB);
    expect(await refusalOf(t.concat([x, x]).data())).toContain("concat: could not allocate 16.0 MiB");
    expect(await refusalOf(device.tensor(new Float32Array(4 * MIB)).data())).toContain("16.0 MiB");
    t.sum(t.concat([x, x])).backward();
    await refusalOf(device.sync());
    x.grad = undefined;
    t.sum(x).backward();
    expect((await x.grad!.data()).every((g) => g === 1)).toBe(true);
  });

  it("memory that was refused is not handed out again", async () => {
    using device = await t.createDevice({ quiet: true });
    refuseFrom(80 * MIB);
    device.full(BIG, 3).dispose();
    await refusalOf(device.sync());
    expect(device.memory()).toMatchObject({ liveBytes: 0, pooledBytes: 0 });
    expect(device.memory().peakReservedBytes).toBeLessThan(MIB);
    vi.restoreAllMocks();
    using big = device.full(BIG, 3);
    await device.sync();
    expect((await t.slice(big, [[0, 1]]).data())[0]).toBe(3);
  });

  it("a captured function ends with it, leaves nothing, and can be called again", async () => {
    using device = await t.createDevice({ quiet: true });
    const f = device.capture((x: t.Tensor) => t.sum(t.add(t.mul(x, 0), device.full(BIG, 0.5))));
    using x = device.ones([1]);
    const before = device.memory();
    refuseFrom(80 * MIB);
    const outcome = f(x).then((y) => y.item());
    await refusalOf(outcome);
    await refusalOf(f(x).then((y) => y.item()));
    vi.restoreAllMocks();
    for (let i = 0; i < 4; i++) {
      using y = await f(x);
      expect(await y.item()).toBe(10 * MIB);
    }
    f.dispose();
    const { liveBytes, liveTensors } = device.memory();
    // The results of the calls that failed were the caller's to free.
    expect(liveBytes - before.liveBytes).toBeLessThanOrEqual(512);
    expect(liveTensors - before.liveTensors).toBeLessThanOrEqual(2);
  });

  it("a read that has none for its own buffer rejects, and loses no other work", async () => {
    using device = await t.createDevice({ quiet: true });
    const x = device.full(BIG, 2);
    await device.sync();
    const before = device.full([2], 5);
    refuseFrom(80 * MIB, { usage: 1 });
    expect(await refusalOf(x.data())).toContain("data: could not allocate 80.0 MiB");
    expect(await before.data()).toEqual(Float32Array.of(5, 5));
    expect((await t.slice(x, [[0, 1]]).data())[0]).toBe(2);
  });
});

it("Dawn prints nothing of it", async () => {
  const program = `
    import { createDevice, relu } from "@fcn/tensor";
    import { globals } from "webgpu";
    const { prototype } = globals.GPUDevice;
    const { createBuffer } = prototype;
    prototype.createBuffer = function (d) {
      return createBuffer.call(this, d.size > 1e8 ? { ...d, size: ${REFUSED} } : d);
    };
    const device = await createDevice({ quiet: true });
    const big = device.zeros([1e8]);
    for (let i = 0; i < 5; i++) relu(big);
    await big.data().catch(({ code }) => console.log(code));
    console.log((await device.ones([2]).data()).join());
    device.destroy();`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000 });
  const { stdout, stderr } = await run;
  expect(stdout.trim().split("\n")).toEqual(["out-of-memory", "1,1"]);
  expect(stderr.split("\n").filter((line) => line !== "" && !line.startsWith("Warning: "))).toEqual([]);
});

it("a tensor that needs the largest buffer, or several, can be made", async () => {
  using device = await t.createDevice({ quiet: true });
  for (const elements of [2 ** 30 - 64, 2 ** 30 + 8]) emptyTensor(device, [elements]).dispose();
  await device.sync();
});
