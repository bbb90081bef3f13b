import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true });
});
afterAll(() => device.destroy());

/** A net with all that changes from call to call: running statistics, masks, steps of an optimiser, a schedule. */
function training(optimizerOf: (parameters: readonly t.Tensor[]) => t.optim.SGD | t.optim.AdamW, on = device) {
  const net = new t.nn.Sequential(
    new t.nn.Conv2d(on, 3, 8, { kernelSize: 3, padding: 1, seed: 1 }),
    new t.nn.BatchNorm2d(on, 8),
    new t.nn.ReLU(),
    new t.nn.Dropout({ p: 0.25, seed: 3 }),
    new t.nn.Conv2d(on, 8, 4, { kernelSize: 3, padding: 1, seed: 2 }),
    new t.nn.Dropout2d({ p: 0.1, seed: 4 }),
  );
  net.train();
  const optimizer = optimizerOf(net.parameters());
  const schedule = t.optim.lrScheduler.poly(optimizer, { totalSteps: 10 });
  let calls = 0;
  const step = (x: t.Tensor, labels: t.Tensor): t.Tensor => {
    calls++;
    const loss = t.crossEntropy(net.forward(x), labels);
    loss.backward();
    t.optim.clipGradNorm(net.parameters(), 5);
    optimizer.step();
    schedule.step();
    optimizer.zeroGrad();
    return loss;
  };
  return { net, optimizer, schedule, step, calls: () => calls };
}

const sizes = [16, 16, 16, 16, 24, 16, 24, 16, 24, 24];

/** Losses and final values of a few steps, whose shapes are those of `sizes`. */
async function run(
  made: ReturnType<typeof training>,
  step: (x: t.Tensor, y: t.Tensor) => t.Tensor | Promise<t.Tensor>,
) {
  const losses: number[] = [];
  for (const [i, size] of sizes.entries()) {
    await device.scope(async () => {
      const x = device.randn([2, 3, size, size], { seed: i });
      const labels = device.tensor(
        Int32Array.from({ length: 2 * size * size }, (_, at) => (at * 7 + i) % 5),
        [2, size, size],
        { dtype: "int32" },
      );
      const masked = t.clamp(t.sub(labels.to("float32"), 1), { min: 0 }).to("int32");
      losses.push(await (await step(x, masked)).item());
    });
  }
  const values: Record<string, unknown> = {};
  for (const [name, tensor] of Object.entries(made.net.stateDict())) values[name] = await tensor.data();
  return { losses, values, state: made.optimizer.stateDict()["0.step"], lr: made.schedule.lr };
}

describe("a captured training step", () => {
  it.each([
    ["SGD", (p: readonly t.Tensor[]) => new t.optim.SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.01 })],
    ["AdamW", (p: readonly t.Tensor[]) => new t.optim.AdamW(p, { lr: 0.01 })],
  ] as const)("has the bits of one that is not, with shapes that change: %s", async (_, optimizerOf) => {
    const eager = training(optimizerOf);
    const expected = await run(eager, eager.step);
    const captured = training(optimizerOf);
    const step = device.capture(captured.step);
    expect(await run(captured, step)).toEqual(expected);
    expect(expected.losses.at(-1)).toBeLessThan(expected.losses[0]!);
    // Twice for each size.
    expect([eager.calls(), captured.calls()]).toEqual([sizes.length, 4]);
    step.dispose();
  });

  it("needs no more memory than what it repeats, and gives it back", async () => {
    const measure = async (isCaptured: boolean): Promise<number> => {
      const own = await t.createDevice({ quiet: true, poolBytes: 2 ** 30 });
      const { step } = training((p) => new t.optim.SGD(p, { lr: 0.1, momentum: 0.9 }), own);
      const [x, labels] = [own.randn([2, 3, 32, 32], { seed: 1 }), own.zeros([2, 32, 32], { dtype: "int32" })];
      // The buffers of the optimiser come with the first step, and stay.
      await own.scope(() => void step(x, labels));
      const before = own.memory();
      const repeated = isCaptured ? own.capture(step) : undefined;
      for (let i = 0; i < 6; i++) {
        await own.scope(async () => {
          const loss = await (repeated ?? step)(x, labels);
          await loss.item();
        });
      }
      const { peakReservedBytes } = own.memory();
      repeated?.dispose();
      const after = own.memory();
      expect([after.liveBytes, after.liveTensors]).toEqual([before.liveBytes, before.liveTensors]);
      own.destroy();
      return peakReservedBytes;
    };
    const [eager, captured] = [await measure(false), await measure(true)];
    const argumentBytes = 4 * (2 * 3 * 32 * 32 + 2 * 32 * 32);
    const parameterBytes = 256 * 256;
    expect(captured).toBeLessThanOrEqual(eager + argumentBytes + parameterBytes);
  });

  it("counts as a change in place for graphs of before", async () => {
    const { step, net } = training((p) => new t.optim.SGD(p, { lr: 0.1 }));
    const captured = device.capture(step);
    const [x, labels] = [device.ones([1, 3, 8, 8]), device.zeros([1, 8, 8], { dtype: "int32" })];
    for (let i = 0; i < 3; i++) await captured(x, labels);
    const loss = t.mean(net.forward(x));
    await captured(x, labels);
    expect(() => loss.backward()).toThrow(expect.objectContaining({ code: "modified-in-place" }));
  });
});

describe("a captured function", () => {
  it("returns what its arguments give, in the same form, and results that last", async () => {
    let calls = 0;
    const f = device.capture((x: t.Tensor) => {
      calls++;
      return { double: t.mul(x, 2), more: [t.sum(x), x] };
    });
    const results: Awaited<ReturnType<typeof f>>[] = [];
    for (const n of [1, 2, 3, 4, 5]) results.push(await f(device.full([2, 3], n)));
    for (const [i, { double, more }] of results.entries()) {
      expect(await double.data()).toEqual(new Float32Array(6).fill(2 * (i + 1)));
      expect(await more[0]!.item()).toBe(6 * (i + 1));
      expect(await more[1]!.data()).toEqual(new Float32Array(6).fill(i + 1));
    }
    expect(calls).toBe(2);
    f.dispose();
  });

  it("without a seed draws other numbers each time, as it does otherwise", async () => {
    const draw = () => t.add(device.rand([100]), device.randn([100], { seed: 1 }));
    const own = await t.createDevice({ quiet: true, poolBytes: 2 ** 20 });
    own.destroy();
    const f = device.capture(draw);
    const results = [];
    for (let i = 0; i < 4; i++) results.push([...(await (await f()).data())].join());
    expect(new Set(results).size).toBe(4);
  });

  it("forgets shapes that were used long ago", async () => {
    let calls = 0;
    const f = device.capture((x: t.Tensor) => {
      calls++;
      return t.add(x, 1);
    });
    const use = async (n: number) =>
      expect(await (await f(device.zeros([n]))).data()).toEqual(new Float32Array(n).fill(1));
    for (let n = 1; n <= 9; n++) for (let i = 0; i < 3; i++) await use(n);
    expect(calls).toBe(18);
    await use(9);
    await use(2);
    expect(calls).toBe(18);
    await use(1);
    expect(calls).toBe(19);
    f.dispose();
  });

  it("runs each time where every run is checked", async () => {
    const checking = await t.createDevice({ quiet: true, debug: { nanCheck: true } });
    let calls = 0;
    const f = checking.capture((x: t.Tensor) => {
      calls++;
      return t.log(x);
    });
    for (let i = 0; i < 3; i++) await f(checking.ones([2]));
    expect(calls).toBe(3);
    await expect((await f(checking.full([2], -1))).data()).rejects.toMatchObject({ code: "not-finite" });
    checking.destroy();
  });
});

describe("the memory that captured functions share", () => {
  it("is theirs alone, also where one of them keeps a tensor", async () => {
    const double = device.capture((x: t.Tensor) => t.mul(t.add(x, x), 1));
    const x = device.full([1000], 3);
    for (let i = 0; i < 3; i++) (await double(x)).dispose();
    const kept: t.Tensor[] = [];
    const keeping = device.capture((y: t.Tensor) => {
      // A handle that no scope frees, as optimisers have for what they need.
      kept.push((t.add(y, 1) as unknown as { alias(): t.Tensor }).alias());
      return t.mul(y, 2);
    });
    for (let i = 0; i < 3; i++) (await keeping(x)).dispose();
    for (let i = 0; i < 3; i++) {
      using y = await double(x);
      expect(await y.data()).toEqual(new Float32Array(1000).fill(6));
      for (const tensor of kept) expect(await tensor.data()).toEqual(new Float32Array(1000).fill(4));
    }
    for (const tensor of kept) tensor.dispose();
    double.dispose();
    keeping.dispose();
  });

  it("grows with the largest of them, and is given back on demand, after which they are recorded anew", async () => {
    const own = await t.createDevice({ quiet: true });
    let calls = 0;
    const make = () =>
      own.capture((x: t.Tensor) => {
        calls++;
        return t.sum(t.exp(t.add(x, 1)));
      });
    const functions = [make(), make(), make()];
    const x = own.ones([2 ** 20]);
    const use = async () => {
      for (const f of functions) for (let i = 0; i < 3; i++) (await f(x)).dispose();
    };
    await use();
    expect(calls).toBe(6);
    // The argument, and what one of them takes.
    expect(own.memory().peakReservedBytes).toBeLessThan(7 * 2 ** 22);
    own.trim();
    expect(own.memory().pooledBytes).toBe(0);
    await use();
    expect(calls).toBe(12);
    own.destroy();
  });

  it("leaves kernels that are warmed up no trace in seeds and steps", async () => {
    const { step, optimizer, schedule, net } = training((p) => new t.optim.SGD(p, { lr: 0.1, momentum: 0.9 }));
    const [x, labels] = [device.ones([1, 3, 8, 8]), device.zeros([1, 8, 8], { dtype: "int32" })];
    const dropout = net.namedChildren()[3]?.[1] as t.nn.Dropout;
    await device.warmUp(() => step(x, labels));
    const made = optimizer.stateDict()["0.step"] as t.io.HostArray;
    expect([schedule.lastStep, dropout.calls, made.data[0]]).toEqual([0, 0, 0]);
  });
});

describe("what cannot be replayed is refused", () => {
  let weight: t.Tensor;
  beforeAll(() => {
    weight = device.tensor([2], [1], { requiresGrad: true });
  });
  let count = 0;
  const cases: Record<
    string,
    { readonly calls?: number; readonly fn: (x: t.Tensor) => unknown; readonly says: RegExp }
  > = {
    "a read": { fn: (x) => void x.data().catch(() => undefined), says: /reads a tensor/ },
    "values of the host": { fn: () => device.tensor([1, 2]), says: /values of the host/ },
    "an asynchronous function": { fn: async (x) => t.add(x, 1), says: /asynchronous/ },
    "a number": { fn: () => 3, says: /returns/ },
    "gradients that stay": { fn: (x) => t.sum(t.mul(x, weight)).backward(), says: /gradients behind/ },
    "other work the second time": {
      calls: 2,
      fn: (x) => (count++ % 2 ? t.exp(x) : t.log(x)),
      says: /exp.* in place of .*log/,
    },
    "other numbers the second time": { calls: 2, fn: (x) => t.mul(x, count++), says: /other sizes or values/ },
    "more work the second time": {
      calls: 2,
      fn: (x) => (count++ % 2 ? t.exp(t.exp(x)) : t.exp(x)),
      says: /in place of nothing|in place of/,
    },
    "a captured function": {
      fn: (x) => {
        const inner = device.capture((y: t.Tensor) => t.exp(y));
        return inner(x);
      },
      says: /asynchronous|captured function/,
    },
  };

  it.each(Object.entries(cases))("%s", async (_, { calls = 1, fn, says }) => {
    count = 0;
    const before = device.memory();
    const f = device.capture(fn as (x: t.Tensor) => t.Tensor);
    const x = device.ones([3]);
    for (let i = 1; i < calls; i++) (await f(x)).dispose();
    await expect(f(x)).rejects.toMatchObject({ code: "not-replayable", message: expect.stringMatching(says) });
    f.dispose();
    x.dispose();
    weight.zeroGrad();
    // Nothing is left, and the device works.
    expect(await t.sum(device.ones([4])).item()).toBe(4);
    expect(device.memory().liveBytes).toBeLessThanOrEqual(before.liveBytes + 1024);
  });

  it("arguments that are no live tensors of the device, and tensors that are gone", async () => {
    const factor = device.full([3], 2);
    const f = device.capture((x: t.Tensor) => t.mul(x, factor));
    await expect(f(3 as unknown as t.Tensor)).rejects.toMatchObject({ code: "invalid-argument" });
    const gone = device.ones([3]);
    gone.dispose();
    await expect(f(gone)).rejects.toMatchObject({ code: "disposed" });
    await expect(f(device.tensor([1, 2, 3], [3], { requiresGrad: true }))).rejects.toMatchObject({
      code: "invalid-argument",
    });
    const other = await t.createDevice({ quiet: true, poolBytes: 0 });
    await expect(f(other.ones([3]))).rejects.toMatchObject({ code: "device-mismatch" });
    other.destroy();
    for (let i = 0; i < 3; i++) expect(await (await f(device.ones([3]))).data()).toEqual(new Float32Array([2, 2, 2]));
    factor.dispose();
    await expect(f(device.ones([3]))).rejects.toMatchObject({
      code: "disposed",
      message: expect.stringContaining("[3]"),
    });
    f.dispose();
    await expect(f(device.ones([3]))).rejects.toMatchObject({ code: "disposed" });
    expect(() => device.capture(3 as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  });

  it("gradients from outside, which recorded work would not add to", async () => {
    const w = weight;
    const f = device.capture((x: t.Tensor) => {
      t.sum(t.mul(x, w)).backward();
      w.zeroGrad();
    });
    for (let i = 0; i < 3; i++) await f(device.ones([3]));
    t.sum(w).backward();
    await expect(f(device.ones([3]))).rejects.toMatchObject({ code: "not-replayable" });
  });
});
