import { readFileSync } from "node:fs";
import { createDevice, type Device, mul, nn, optim, relu, sum, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ bindingLimit: 65536 });
});
afterAll(() => device?.destroy());

type AnyOptimizer = optim.SGD | optim.AdamW | optim.Adam | optim.RMSprop;
const leaf = (data: number[], shape = [data.length]): Tensor => device.tensor(data, shape, { requiresGrad: true });
/** The gradient of sum(p * g) is g, to the bit. */
const lossOf = (parameter: Tensor, gradient: Tensor): Tensor => sum(mul(parameter, gradient));
const giveScaled = (scaler: optim.GradScaler, parameter: Tensor, gradient: number[]): void =>
  scaler.scale(lossOf(parameter, device.tensor(gradient, parameter.shape))).backward();

interface Golden {
  readonly scaler: optim.GradScalerOptions;
  readonly shapes: number[][];
  readonly start: number[][];
  readonly gradients: number[][][];
  readonly cases: readonly {
    readonly op: "SGD" | "AdamW" | "Adam" | "RMSprop";
    readonly options: object;
    readonly unscales: boolean;
    readonly steps: readonly { readonly scale: number; readonly params: number[][] }[];
  }[];
}
const golden = JSON.parse(readFileSync(new URL("../../golden/grad_scaler.json", import.meta.url), "utf8")) as Golden;
const floats = (bits: readonly number[]): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);

describe("a GradScaler goes the way of PyTorch's", () => {
  const cases = golden.cases.flatMap((c) =>
    [false, true].map((isCaptured) => {
      const name = `${c.op} ${JSON.stringify(c.options)}${c.unscales ? ", clipped" : ""}`;
      return [`${name}, ${isCaptured ? "captured" : "step by step"}`, c, isCaptured] as const;
    }),
  );
  it.each(cases)("%s", async (_, { op, options, unscales, steps }, isCaptured) => {
    await device.scope(async () => {
      const { shapes, start, gradients } = golden;
      const params = shapes.map((shape, i) => device.tensor(floats(start[i]!), shape, { requiresGrad: true }));
      using optimizer = new optim[op](params, options);
      using scaler = new optim.GradScaler(device, golden.scaler);
      const work = (...given: Tensor[]): void => {
        for (const [i, p] of params.entries()) scaler.scale(lossOf(p, given[i]!)).backward();
        if (unscales) {
          scaler.unscale(optimizer);
          optim.clipGradNorm(params, 1).dispose();
        }
        scaler.step(optimizer);
        scaler.update();
        optimizer.zeroGrad();
      };
      using captured = device.capture(work);
      let skipped = 0;
      for (const [step, want] of steps.entries()) {
        const given = shapes.map((shape, i) => device.tensor(floats(gradients[step]![i]!), shape));
        if (isCaptured) await captured(...given);
        else work(...given);
        for (const [i, p] of params.entries()) {
          const wanted = Array.from(floats(want.params[i]!), (value) => expect.closeTo(value, 5));
          expect(Array.from(await p.data()), `parameter ${i} after step ${step + 1}`).toEqual(wanted);
        }
        if ([0, 3, 7].includes(step)) skipped++;
        expect([step, await scaler.getScale()]).toEqual([step, want.scale]);
        expect(await scaler.getSkippedSteps()).toEqual({ inARow: [0, 3, 7].includes(step) ? 1 : 0, total: skipped });
      }
    });
  });
});

/** Parameters of several sizes, one of them larger than a binding and one in a memory order of its own. */
function someParameters(): Tensor[] {
  const { weight } = new nn.Conv2d(device, 5, 3, { kernelSize: 3, bias: false, seed: 3 });
  const shapes = [[5], [20_003], [8], [1], [3, 2, 2, 2], [40], [7], [9]];
  const made = shapes.map((shape, i) => device.randn(shape, { seed: i + 1, requiresGrad: true }));
  return [...made, weight];
}

describe("without an overflow", () => {
  it.each([
    ["SGD", { momentum: 0.9, weightDecay: 0.01 }],
    ["SGD", { momentum: 0.9, nesterov: true, dampening: 0 }],
    ["SGD", {}],
  ] as const)("%s with %o keeps its bits", async (name, options) => {
    await device.scope(async () => {
      const walk = async (scaler: optim.GradScaler | undefined) => {
        const params = someParameters();
        const optimizer = new optim[name](params, { lr: 0.1, ...options });
        for (let step = 0; step < 5; step++) {
          optimizer.zeroGrad();
          for (const p of params) {
            const loss = lossOf(p, device.randn(p.shape, { seed: 9 + step }));
            (scaler?.scale(loss) ?? loss).backward();
          }
          if (scaler) scaler.step(optimizer);
          else optimizer.step();
          scaler?.update();
        }
        return Promise.all(params.map((p) => p.data()));
      };
      using scaler = new optim.GradScaler(device, { growthInterval: 2 });
      expect(await walk(scaler)).toEqual(await walk(undefined));
      expect(await scaler.getScale()).toBe(65536 * 4);
    });
  });

  it("AdamW stays as near as float32 allows, and counts its steps as a thousand of them pass", async () => {
    await device.scope(async () => {
      const [w, plain] = [leaf([1, -2, 3, 0.5]), leaf([1, -2, 3, 0.5])];
      using scaler = new optim.GradScaler(device);
      const [scaled, other] = [w, plain].map((p) => new optim.AdamW([p], { lr: 1e-3 })) as [optim.AdamW, optim.AdamW];
      for (let step = 0; step < 1000; step++) {
        for (const optimizer of [scaled, other]) optimizer.zeroGrad();
        const gradient = [1, -0.5, Math.sin(step), 1e-4];
        giveScaled(scaler, w, gradient);
        lossOf(plain, device.tensor(gradient)).backward();
        scaler.step(scaled);
        scaler.update();
        other.step();
      }
      const want = await plain.data();
      expect(Array.from(await w.data())).toEqual(Array.from(want, (value) => expect.closeTo(value, 5)));
    });
  });
});

describe("a step with an overflow", () => {
  const OVERFLOWS = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];

  it.each([
    ["SGD", { momentum: 0.9 }],
    ["SGD", { momentum: 0.9, dampening: 0.5 }],
    ["AdamW", {}],
    ["Adam", { weightDecay: 0.1 }],
    ["RMSprop", { momentum: 0.5 }],
  ] as const)("of %s with %o leaves parameters and state as they are, the first too", async (name, options) => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 4, backoffFactor: 0.5 });
      const [w, idle, same] = [leaf([1, -2, 3]), leaf([5]), leaf([1, -2, 3])];
      using optimizer = new optim[name]([w, idle], { lr: 0.1, ...options });
      using other = new optim[name]([same], { lr: 0.1, ...options });
      const stateOf = async () =>
        Promise.all(
          Object.values(optimizer.stateDict()).map(async (value) =>
            Array.from(typeof value.data === "function" ? await value.data() : (value.data as Int32Array)),
          ),
        );
      const step = (gradient: number[]): void => {
        optimizer.zeroGrad();
        giveScaled(scaler, w, gradient);
        scaler.step(optimizer);
        scaler.update();
      };
      for (const [i, overflow] of OVERFLOWS.entries()) {
        step([1, overflow, 2]);
        expect(Array.from(await w.data())).toEqual([1, -2, 3]);
        expect(await scaler.getScale()).toBe(4 / 2 ** (i + 1));
        const [steps, ...buffers] = await stateOf();
        expect(steps).toEqual([i + 1]);
        for (const buffer of buffers) expect(new Set(buffer)).toEqual(new Set([0]));
      }
      expect(await scaler.getSkippedSteps()).toEqual({ inARow: 3, total: 3 });
      // As if it were the first step.
      for (const gradient of [
        [1, 2, 3],
        [0.5, -1, 2],
      ]) {
        step(gradient);
        other.zeroGrad();
        lossOf(same, device.tensor(gradient)).backward();
        other.step();
      }
      const want = Array.from(await same.data(), (value) => expect.closeTo(value, 6));
      expect(Array.from(await w.data())).toEqual(want);
      expect(await idle.item()).toBe(5);
    });
  });

  it("is found in every gradient, at its first and last element", async () => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 1, backoffFactor: 0.5, growthInterval: 1000 });
      const params = someParameters();
      using optimizer = new optim.SGD(params, { lr: 1 });
      let scale = 1;
      for (const p of params) {
        for (const at of [0, p.size - 1]) {
          optimizer.zeroGrad();
          for (const other of params) {
            const gradient = new Float32Array(other.size);
            if (other === p) gradient[at] = Number.NaN;
            other.grad = device.tensor(gradient, other.shape);
          }
          scaler.step(optimizer);
          scaler.update();
          scale /= 2;
          expect(await scaler.getScale()).toBe(scale);
        }
      }
    });
  });

  it("is one of its optimiser only, and lowers the scale of all", async () => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 8 });
      const [a, b, c] = [leaf([1]), leaf([1]), leaf([1])];
      const optimizers = [a, b, c].map((w) => new optim.SGD([w], { lr: 1 }));
      for (const [w, g] of [
        [a, 1],
        [b, Number.POSITIVE_INFINITY],
        [c, 2],
      ] as const) {
        giveScaled(scaler, w, [g]);
      }
      for (const optimizer of optimizers) scaler.step(optimizer);
      scaler.update();
      expect([await a.item(), await b.item(), await c.item()]).toEqual([0, 1, -1]);
      expect(await scaler.getScale()).toBe(4);
      expect(await scaler.getSkippedSteps()).toEqual({ inARow: 1, total: 1 });
    });
  });

  it("lies in nobody's way: other optimisers' padding and idle parameters do not count", async () => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 2, growthInterval: 1 });
      // Memory that held NaN is used again for gradients that do not fill their last four elements.
      for (let i = 0; i < 8; i++) device.full([8], Number.NaN).dispose();
      const w = leaf([1, 2, 3, 4, 5]);
      using optimizer = new optim.SGD([w], { lr: 1 });
      giveScaled(scaler, w, [1, 1, 1, 1, 1]);
      scaler.step(optimizer);
      scaler.update();
      expect(await scaler.getScale()).toBe(4);
    });
  });
});

describe("a GradScaler", () => {
  it("divides gradients for who looks at them, once", async () => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 3 });
      const [w, scalar] = [leaf([1, 2]), leaf([1], [])];
      using optimizer = new optim.SGD([w, scalar], { lr: 1 });
      giveScaled(scaler, w, [0.5, 4]);
      giveScaled(scaler, scalar, [2]);
      expect(Array.from(await w.grad!.data())).toEqual([1.5, 12]);
      scaler.unscale(optimizer);
      const close = (values: number[]) => values.map((value) => expect.closeTo(value, 6));
      expect(Array.from(await w.grad!.data())).toEqual(close([0.5, 4]));
      expect(await scalar.grad!.item()).toBeCloseTo(2, 6);
      scaler.step(optimizer);
      scaler.update();
      expect(Array.from(await w.data())).toEqual(close([0.5, -2]));
    });
  });

  it("makes the step of an optimiser of one's own", async () => {
    class Halving extends optim.SGD {
      override step(): void {
        const { lr } = this;
        this.lr = lr / 2;
        super.step();
        this.lr = lr;
      }
    }
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device);
      const w = leaf([4]);
      using optimizer = new Halving([w], { lr: 1 });
      giveScaled(scaler, w, [2]);
      scaler.step(optimizer);
      scaler.update();
      expect(await w.item()).toBe(3);
    });
  });

  it("does nothing unless it is enabled", async () => {
    await device.scope(async () => {
      const { liveBytes } = device.memory();
      using scaler = new optim.GradScaler(device, { enabled: false });
      expect(device.memory().liveBytes).toBe(liveBytes);
      const w = leaf([1]);
      using optimizer = new optim.SGD([w], { lr: 1 });
      const loss = lossOf(w, device.ones([1]));
      expect(scaler.scale(loss)).toBe(loss);
      loss.backward();
      scaler.unscale(optimizer);
      scaler.step(optimizer);
      scaler.update();
      expect([await w.item(), await scaler.getScale(), scaler.enabled, scaler.stateDict()]).toEqual([0, 1, false, {}]);
      expect(await scaler.getSkippedSteps()).toEqual({ inARow: 0, total: 0 });
    });
  });

  it.each(["SGD", "AdamW", "Adam", "RMSprop"] as const)(
    "and %s go on from their saved state to the bit",
    async (name) => {
      await device.scope(async () => {
        const options = { lr: 0.1, ...(name === "SGD" ? { momentum: 0.9, dampening: 0.1 } : {}) };
        const scaling = { initScale: 8, growthInterval: 2 };
        const gradients = [Number.NaN, 1, 2, Number.POSITIVE_INFINITY, 0.5, -1, 3].map((g) => [g, 1, -2]);
        const walk = (w: Tensor, optimizer: AnyOptimizer, scaler: optim.GradScaler, own: number[][]): void => {
          for (const gradient of own) {
            optimizer.zeroGrad();
            giveScaled(scaler, w, gradient);
            scaler.step(optimizer);
            scaler.update();
          }
        };
        const whole = leaf([1, 2, 3]);
        const scalers = [0, 1, 2].map(() => new optim.GradScaler(device, scaling));
        const [first, second, third] = scalers as [optim.GradScaler, optim.GradScaler, optim.GradScaler];
        walk(whole, new optim[name]([whole], options), first, gradients);
        for (const cut of [1, 4]) {
          const part = leaf([1, 2, 3]);
          const before = new optim[name]([part], options);
          second.loadStateDict({ scale: device.full([], 8), counts: device.zeros([4]) });
          walk(part, before, second, gradients.slice(0, cut));
          const rest = device.tensor(await part.data(), [3], { requiresGrad: true });
          const after = new optim[name]([rest], options);
          after.loadStateDict(before.stateDict());
          third.loadStateDict(second.stateDict());
          walk(rest, after, third, gradients.slice(cut));
          expect(await rest.data()).toEqual(await whole.data());
          expect(await third.getScale()).toBe(await first.getScale());
          expect(await third.getSkippedSteps()).toEqual({ inARow: 0, total: 2 });
        }
        for (const scaler of scalers) scaler.dispose();
      });
    },
  );

  it("may come after steps without one, and these may come after it", async () => {
    await device.scope(async () => {
      const gradients = [[1, 2, 3], undefined, [2, -1, 0.5], [1, 1, 1], [0.5, 0, -2]];
      for (const name of ["SGD", "AdamW"] as const) {
        const options = { lr: 0.1, ...(name === "SGD" ? { momentum: 0.9, dampening: 0.5 } : {}) };
        using scaler = new optim.GradScaler(device, { initScale: 16 });
        const [w, plain] = [leaf([1, 2, 3]), leaf([1, 2, 3])];
        const [mixed, other] = [w, plain].map((p) => new optim[name]([p], options)) as [AnyOptimizer, AnyOptimizer];
        for (const [i, gradient] of gradients.entries()) {
          mixed.zeroGrad();
          other.zeroGrad();
          const isScaled = i === 1 || i === 2;
          if (isScaled) giveScaled(scaler, w, gradient ?? [Number.NaN, 0, 0]);
          else lossOf(w, device.tensor(gradient!)).backward();
          if (isScaled) scaler.step(mixed);
          else mixed.step();
          if (isScaled) scaler.update();
          if (!gradient) continue;
          lossOf(plain, device.tensor(gradient)).backward();
          other.step();
        }
        const want = await plain.data();
        expect(Array.from(await w.data())).toEqual(Array.from(want, (value) => expect.closeTo(value, 6)));
      }
    });
  });

  it("is replayed where a captured function makes only the step, and compiled without counting", async () => {
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device, { initScale: 4, growthInterval: 1 });
      const w = leaf([8]);
      using optimizer = new optim.SGD([w], { lr: 1 });
      const work = (x: Tensor): void => {
        scaler.scale(lossOf(w, relu(x))).backward();
        scaler.step(optimizer);
        optimizer.zeroGrad();
      };
      await device.warmUp(() => {
        work(device.ones([1]));
        scaler.update();
      });
      using step = device.capture(work);
      for (let i = 0; i < 4; i++) {
        await step(device.ones([1]));
        expect(await w.item()).toBe(7 - i);
        scaler.update();
        expect(await scaler.getScale()).toBe(4 * 2 ** (i + 1));
      }
    });
  });

  it("gives back all memory", async () => {
    const { liveBytes } = device.memory();
    await device.scope(async () => {
      using scaler = new optim.GradScaler(device);
      const w = leaf([1, 2]);
      using optimizer = new optim.AdamW([w]);
      giveScaled(scaler, w, [1, 1]);
      scaler.step(optimizer);
      scaler.update();
    });
    expect(device.memory().liveBytes).toBe(liveBytes);
  });

  it("refuses calls out of order", async () => {
    await device.scope(() => {
      using scaler = new optim.GradScaler(device);
      const w = leaf([1]);
      using optimizer = new optim.SGD([w], { lr: 1 });
      expect(() => scaler.step(optimizer)).toThrow("GradScaler: step: no parameter of the optimiser has a gradient");
      expect(() => scaler.unscale(optimizer)).toThrow("GradScaler: unscale: no parameter of the optimiser");
      expect(() => scaler.update()).toThrow("GradScaler: update: no optimiser has made a step since the last update");
      giveScaled(scaler, w, [1]);
      scaler.unscale(optimizer);
      expect(() => scaler.unscale(optimizer)).toThrow("are already divided by the scale");
      scaler.step(optimizer);
      expect(() => scaler.step(optimizer)).toThrow("GradScaler: step: the optimiser has already made its step");
      expect(() => scaler.unscale(optimizer)).toThrow("GradScaler: unscale: the optimiser has already made its step");
      scaler.update();
      scaler.step(optimizer);
    });
  });

  it.each([
    ["initScale", 0],
    ["growthFactor", 1],
    ["backoffFactor", 1],
    ["growthInterval", 0.5],
    ["enabled", 1],
    ["interval", 1],
  ])("refuses %s %s", (name, value) => {
    const make = () => new optim.GradScaler(device, { [name]: value } as object);
    expect(make).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    expect(make).toThrow(name);
  });

  it("refuses the state of others", () => {
    using scaler = new optim.GradScaler(device);
    const counts = { dtype: "float32", shape: [2], data: new Float32Array(2) } as const;
    expect(() => scaler.loadStateDict({ counts, more: counts })).toThrow(
      "GradScaler.loadStateDict: scale is missing; counts is [2], expected [4]; more is unexpected",
    );
  });
});
