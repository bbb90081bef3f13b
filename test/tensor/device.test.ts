import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

function smallNet(on: t.Device) {
  const net = new t.nn.Sequential(
    new t.nn.Conv2d(on, 3, 8, { kernelSize: 3, padding: 1, seed: 1 }),
    new t.nn.BatchNorm2d(on, 8),
    new t.nn.ReLU(),
    new t.nn.MaxPool2d({ kernelSize: 2 }),
    new t.nn.ConvTranspose2d(on, 8, 4, { kernelSize: 4, stride: 2, padding: 1, seed: 2 }),
  );
  const optimizer = new t.optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const step = (k: number) =>
    on.scope(() => {
      const x = on.randn([2, 3, 12, 12], { seed: k });
      const labels = on.tensor(
        Array.from({ length: 288 }, (_, i) => (i + k) % 4),
        [2, 12, 12],
        { dtype: "int32" },
      );
      const loss = t.crossEntropy(net.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
  return { net, optimizer, step };
}

describe("memory", () => {
  it("is flat over 300 training steps, and the pool stays under its cap", async () => {
    const poolBytes = 4 * 2 ** 20;
    using own = await t.createDevice({ quiet: true, poolBytes });
    const { step } = smallNet(own);
    let early: t.MemoryReport | undefined;
    for (let k = 1; k <= 300; k++) {
      const loss = await step(k);
      if (k % 50 === 0) expect(await loss.item()).toBeLessThan(10);
      loss.dispose();
      expect(own.memory().pooledBytes).toBeLessThanOrEqual(poolBytes);
      if (k === 50) early = own.memory();
    }
    const late = own.memory();
    expect(late.liveTensors).toBe(early!.liveTensors);
    expect(late.liveBytes).toBe(early!.liveBytes);
    expect(late.peakBytes).toBe(early!.peakBytes);
  });

  it("goes back to where it was when tensors are disposed, by `using` too", () => {
    const before = device.memory();
    {
      using x = device.zeros([1000]);
      using y = t.relu(x);
      expect(device.memory().liveTensors).toBe(before.liveTensors + 2);
      y.dispose();
      y.dispose();
      expect(device.memory().liveTensors).toBe(before.liveTensors + 1);
    }
    expect(device.memory()).toMatchObject({ liveTensors: before.liveTensors, liveBytes: before.liveBytes });
  });

  it("tells what is allocated and what is reserved, with a peak of each", async () => {
    using own = await t.createDevice({ quiet: true });
    const empty = own.memory();
    expect(empty).toMatchObject({ liveBytes: 0, pooledBytes: 0, peakBytes: 0 });
    const MIB = 2 ** 20;
    const a = own.zeros([2 * MIB]);
    a.dispose();
    const b = own.zeros([MIB]);
    const full = own.memory();
    expect(full).toMatchObject({ liveBytes: 4 * MIB, pooledBytes: 8 * MIB, peakBytes: 8 * MIB });
    expect(full.reservedBytes).toBeGreaterThanOrEqual(12 * MIB + empty.reservedBytes);
    expect(full.peakReservedBytes).toBe(full.reservedBytes);
    // A read goes through a buffer of its own.
    await b.data();
    expect(own.memory().reservedBytes).toBeGreaterThanOrEqual(full.reservedBytes + 4 * MIB);
    const { peakReservedBytes } = own.memory();
    own.trim();
    await own.sync();
    expect(own.memory().reservedBytes).toBe(peakReservedBytes - 8 * MIB);
    expect(own.memory().peakReservedBytes).toBe(peakReservedBytes);
    own.resetPeakMemory();
    expect(own.memory()).toMatchObject({ peakBytes: 4 * MIB, peakReservedBytes: peakReservedBytes - 8 * MIB });
    b.dispose();
  });

  it("counts what is destroyed as reserved until the GPU has done with it, and nothing that was refused", async () => {
    using own = await t.createDevice({ quiet: true, poolBytes: 0 });
    const before = own.memory();
    const x = own.zeros([2 ** 20]);
    const y = t.add(x, 1);
    x.dispose();
    expect(own.memory().reservedBytes).toBe(before.reservedBytes + 2 * 4 * 2 ** 20);
    await own.sync();
    expect(own.memory()).toMatchObject({ liveBytes: 4 * 2 ** 20, pooledBytes: 0 });
    expect(own.memory().reservedBytes).toBe(before.reservedBytes + 4 * 2 ** 20);
    y.dispose();
  });

  it("is given back by trim()", async () => {
    device.zeros([300_000]).dispose();
    expect(device.memory().pooledBytes).toBeGreaterThan(1e6);
    device.trim();
    expect(device.memory().pooledBytes).toBe(0);
    using x = device.ones([3]);
    expect(await x.data()).toEqual(Float32Array.of(1, 1, 1));
  });
});

describe("destroy", () => {
  it("in mid-step rejects pending reads, makes ops throw, and does not hang", async () => {
    const own = await t.createDevice({ quiet: true });
    const { net } = smallNet(own);
    const x = own.randn([2, 3, 12, 12], { seed: 1 });
    const y = net.forward(x);
    const pending = y.data();
    const synced = own.sync();
    own.destroy();
    await expect(pending).rejects.toMatchObject({ name: "TensorError", code: "device-lost" });
    await expect(synced).rejects.toMatchObject({ code: "device-lost" });
    await expect(y.data()).rejects.toMatchObject({ code: "device-lost" });
    expect(() => t.relu(x)).toThrow(expect.objectContaining({ code: "device-lost" }));
    expect(() => own.zeros([2])).toThrow(expect.objectContaining({ code: "device-lost" }));
    expect(() => t.sum(y).backward()).toThrow(expect.objectContaining({ code: "device-lost" }));
    expect(await own.lost).toMatchObject({ code: "device-lost" });
    expect(() => own.destroy()).not.toThrow();
    expect(() => y.dispose()).not.toThrow();
  });

  it("lets Node exit by itself", async () => {
    const program = `
      import { createDevice, sum } from "@fcn/tensor";
      const device = await createDevice({ quiet: true });
      console.log(await sum(device.ones([100])).item());
      device.destroy();`;
    const run = promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000 });
    expect((await run).stdout.trim()).toBe("100");
  });
});

describe("scope", () => {
  it("frees what is neither returned nor kept, also when scopes nest and await", async () => {
    const before = device.memory().liveTensors;
    let kept: t.Tensor | undefined;
    let inner: t.Tensor | undefined;
    let lost: t.Tensor | undefined;
    const { list } = await device.scope(async (s) => {
      const x = device.ones([4]);
      inner = await device.scope(async () => {
        lost = t.add(x, 1);
        await lost.data();
        return t.mul(lost, 2);
      });
      expect([lost?.disposed, inner.disposed]).toEqual([true, false]);
      kept = s.keep(t.neg(inner));
      return { list: [t.add(inner, 3)] };
    });
    expect([inner?.disposed, kept?.disposed, list[0]!.disposed]).toEqual([true, false, false]);
    expect(await kept!.data()).toEqual(new Float32Array(4).fill(-4));
    expect(await list[0]!.data()).toEqual(new Float32Array(4).fill(7));
    kept!.dispose();
    list[0]!.dispose();
    expect(device.memory().liveTensors).toBe(before);
  });

  it("keeps what a scope inside it makes, until it ends and beyond", async () => {
    const before = device.memory().liveTensors;
    const seen: boolean[] = [];
    let best: t.Tensor | undefined;
    await device.scope(async () => {
      await device.scope(async (outer) => {
        for (let i = 0; i < 2; i++) {
          await device.scope(() =>
            device.scope(() => {
              best = outer.keep(device.full([1], i));
            }),
          );
          seen.push(best!.disposed);
        }
      });
      seen.push(best!.disposed);
      expect(await best!.item()).toBe(1);
    });
    expect([...seen, best!.disposed]).toEqual([false, false, false, true]);
    expect(device.memory().liveTensors).toBe(before);
  });

  it("frees what was made when its function throws", async () => {
    const before = device.memory().liveTensors;
    const failing = device.scope(() => {
      device.ones([4]);
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(device.memory().liveTensors).toBe(before);
  });

  const gate = () => {
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { open, opened };
  };

  it.each(["uses", "returns"])(
    "tells of a tensor that one scope %s after another, which overlaps it, freed it",
    async (how) => {
      const before = device.memory().liveTensors;
      const [made, ended] = [gate(), gate()];
      const first = device.scope(async () => {
        await Promise.resolve();
        const x = device.ones([4]);
        made.open();
        await ended.opened;
        return how === "uses" ? t.neg(x) : { x };
      });
      const second = device.scope(() => made.opened);
      await second;
      ended.open();
      await expect(first).rejects.toMatchObject({
        code: "disposed",
        message: expect.stringContaining("[4]"),
        fix: expect.stringContaining("await each scope before the next begins"),
      });
      expect(device.memory().liveTensors).toBe(before);
    },
  );

  it("owns what is made while it is the innermost that is open", async () => {
    await device.scope(async () => {
      const { open, opened } = gate();
      const inner = device.scope(() => opened);
      const x = device.ones([2]);
      open();
      await inner;
      expect(() => t.neg(x)).toThrow(expect.objectContaining({ code: "disposed" }));
    });
  });

  it("names a tensor that an inner scope did not return, or that was disposed by hand, as disposed", async () => {
    await device.scope(async () => {
      let x: t.Tensor | undefined;
      await device.scope(() => {
        x = device.ones([2]);
      });
      expect(() => t.neg(x!)).toThrow(expect.objectContaining({ code: "disposed" }));
      const y = await device.scope(async (s) => {
        await Promise.resolve();
        return s.keep(device.ones([2]));
      });
      y.dispose();
      expect(() => t.neg(y)).toThrow(expect.objectContaining({ code: "disposed" }));
    });
  });

  it("refuses to overlap with another", async () => {
    let release = () => {};
    const wait = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = device.scope(() => Promise.resolve());
    const second = device.scope(() => wait);
    await expect(first).rejects.toMatchObject({ code: "scope-overlap" });
    release();
    await second;
  });
});

it("trains under the WebGPU default limits, without subgroups, and through small bindings", async () => {
  const losses = [];
  for (const options of [{}, { limits: "default" }, { subgroups: false }, { bindingLimit: 64 * 1024 }] as const) {
    using own = await t.createDevice({ quiet: true, ...options });
    if ("limits" in options) expect(own.limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    const { step } = smallNet(own);
    await step(1);
    losses.push(await (await step(2)).item());
  }
  for (const loss of losses) expect(Math.abs(loss - losses[0]!)).toBeLessThan(1e-5 * losses[0]!);
});

it("warmUp computes nothing and changes no result", async () => {
  using own = await t.createDevice({ quiet: true });
  using x = own.tensor([1, 2, 3]);
  using target = own.tensor([5, 5, 5]);
  const before = own.memory();
  await own.warmUp(() => target.assign(t.exp(x)));
  await own.warmUp(() => t.softmax(t.mul(x, 2), { dim: 0 }));
  expect(own.memory()).toMatchObject({ liveTensors: before.liveTensors, liveBytes: before.liveBytes });
  expect(await target.data()).toEqual(Float32Array.of(5, 5, 5));
  const { net, step } = smallNet(own);
  const values = () =>
    Promise.all(Object.values(net.stateDict() as Record<string, t.Tensor>).map(async (v) => [...(await v.data())]));
  const initial = await values();
  await own.warmUp(() => step(1));
  expect(await values()).toEqual(initial);
  const y = await t.exp(x).data();
  for (const [i, value] of [1, 2, 3].entries()) expect(y[i]).toBeCloseTo(Math.exp(value), 4);
});

it("the same seed gives the same bits over ten training steps", async () => {
  const train = async () => {
    using own = await t.createDevice({ quiet: true });
    const { net, step } = smallNet(own);
    for (let k = 0; k < 10; k++) (await step(k)).dispose();
    const state = Object.values(net.stateDict()) as t.Tensor[];
    return await Promise.all(state.map(async (tensor) => [...(await tensor.data())]));
  };
  expect(await train()).toEqual(await train());
});

describe("autograd", () => {
  it("runs backward twice only with retainGraph, and then adds up", async () => {
    await device.scope(async () => {
      const x = device.tensor([1, 2, 3], [3], { requiresGrad: true });
      const y = t.sum(t.mul(x, x));
      y.backward(undefined, { retainGraph: true });
      y.backward();
      expect(await x.grad!.data()).toEqual(Float32Array.of(4, 8, 12));
      expect(() => y.backward()).toThrow(expect.objectContaining({ code: "graph-freed" }));
    });
  });

  it("adds the gradients of a tensor that is used several times", async () => {
    await device.scope(async () => {
      const x = device.tensor([1, 2, 3], [3], { requiresGrad: true });
      const doubled = t.mul(x, 2);
      t.sum(t.add(t.mul(doubled, x), t.add(doubled, x))).backward();
      expect(await x.grad!.data()).toEqual(Float32Array.of(7, 11, 15));
    });
  });

  it("records nothing inside noGrad, nor past detach", async () => {
    await device.scope(async () => {
      const x = device.tensor([1, 2], [2], { requiresGrad: true });
      const y = t.noGrad(() => t.mul(x, 3));
      expect([y.requiresGrad, x.detach().requiresGrad, t.mul(x, 3).requiresGrad]).toEqual([false, false, true]);
      expect(() => t.sum(y).backward()).toThrow(expect.objectContaining({ code: "no-gradient" }));
      t.sum(t.mul(x, x.detach())).backward();
      expect(await x.grad!.data()).toEqual(Float32Array.of(1, 2));
      expect(() => t.noGrad(() => x.reshape([3]))).toThrow(expect.objectContaining({ code: "invalid-shape" }));
      expect(t.mul(x, 3).requiresGrad).toBe(true);
    });
  });

  it("records again once all noGrads that overlapped have ended, whichever ends first", async () => {
    const releases: (() => void)[] = [];
    const wait = () => new Promise<void>((resolve) => releases.push(resolve));
    const pending = [t.noGrad(wait), t.noGrad(wait)];
    using x = device.ones([2], { requiresGrad: true });
    const records = () => {
      using y = t.mul(x, 2);
      return y.requiresGrad;
    };
    for (const [i, release] of releases.entries()) {
      expect(records()).toBe(false);
      release();
      await pending[i];
    }
    expect(records()).toBe(true);
    await expect(t.noGrad(() => Promise.reject(new Error("mine")))).rejects.toThrow("mine");
    expect(records()).toBe(true);
  });
});
