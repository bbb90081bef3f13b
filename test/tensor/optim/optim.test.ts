import { createDevice, type Device, mul, nn, optim, sum, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ bindingLimit: 65536 });
});
afterAll(() => device?.destroy());

const leaf = (data: number[], shape = [data.length]): Tensor => device.tensor(data, shape, { requiresGrad: true });
const give = (parameter: Tensor, gradient: Tensor): void => sum(mul(parameter, gradient)).backward();

describe("optimisers", () => {
  it.each(["SGD", "AdamW", "Adam", "RMSprop"] as const)(
    "%s updates a parameter larger than a binding as it does a small one",
    async (name) => {
      await device.scope(async () => {
        const count = 40_003;
        const pattern = (i: number) => ((i % 97) - 48) / 32;
        const big = device.tensor(
          Float32Array.from({ length: count }, (_, i) => pattern(i)),
          [count],
          { requiresGrad: true },
        );
        const small = leaf(Array.from({ length: 97 }, (_, i) => pattern(i)));
        const optimiser = new optim[name]([big, small], {
          lr: 0.1,
          weightDecay: 0.1,
          ...(name === "SGD" ? { momentum: 0.9 } : {}),
        });
        for (let i = 0; i < 2; i++) {
          optimiser.zeroGrad();
          mul(big, big).backward(device.ones([count]));
          sum(mul(small, small)).backward();
          optimiser.step();
        }
        const want = await small.data();
        expect(want[0]).not.toBe(pattern(0));
        expect(await big.data()).toEqual(Float32Array.from({ length: count }, (_, i) => want[i % 97] ?? Number.NaN));
      });
    },
  );

  it("fits the gradient to the memory order of a convolution weight", async () => {
    await device.scope(async () => {
      const conv = new nn.Conv2d(device, 3, 2, { kernelSize: 2, bias: false, seed: 1 });
      const start = Array.from(await conv.weight.data());
      const gradient = Array.from({ length: 24 }, (_, i) => i);
      give(conv.weight, device.tensor(gradient, [2, 3, 2, 2]));
      new optim.SGD(conv.parameters(), { lr: 0.5 }).step();
      (await conv.weight.data()).forEach((value, i) => {
        expect(value).toBeCloseTo((start[i] ?? Number.NaN) - 0.5 * i, 5);
      });
    });
  });

  it("keeps its buffers beyond the scope of a step, and skips what has no gradient", async () => {
    await device.scope(async () => {
      const [w, idle] = [leaf([1]), leaf([5])];
      const sgd = new optim.SGD([w, idle], { lr: 1, momentum: 0.5 });
      for (let i = 0; i < 3; i++) {
        await device.scope(() => {
          sgd.zeroGrad();
          give(w, device.ones([1]));
          sgd.step();
        });
      }
      // Velocities 1, 1.5, 1.75.
      expect(await w.item()).toBe(1 - 4.25);
      expect(await idle.item()).toBe(5);
    });
  });

  it.each([
    ["SGD", { momentum: 0 }],
    ["SGD", { momentum: 0.9, nesterov: true }],
    ["AdamW", {}],
    ["Adam", {}],
    ["AdamW", { amsgrad: true }],
    ["RMSprop", { momentum: 0.9, centered: true }],
  ] as const)("%s with %o gives parameters the bits that it gives each alone", async (name, more) => {
    await device.scope(async () => {
      const shapes = [[5], [8], [3, 2, 2, 2], [1], [20_000], [7]];
      /** Steps in which a parameter has no gradient, so that its steps have numbers of their own. */
      const idle = [[], [0], [], [1, 2], [], [0, 3]];
      const open = () =>
        shapes
          .map((shape, i) => device.randn(shape, { seed: i + 1 }))
          .map((w) => Object.assign(w, { requiresGrad: true }));
      const walk = async (groups: (all: Tensor[]) => Tensor[][]) => {
        const all = open();
        const optimisers = groups(all).map((own) => new optim[name](own, { lr: 0.1, weightDecay: 0.01, ...more }));
        for (let step = 0; step < 4; step++) {
          for (const optimiser of optimisers) optimiser.zeroGrad();
          for (const [i, w] of all.entries())
            if (!idle[i]!.includes(step)) give(w, device.randn(w.shape, { seed: 9 + step }));
          for (const optimiser of optimisers) optimiser.step();
        }
        return Promise.all(all.map((w) => w.data()));
      };
      expect(await walk((all) => [all])).toEqual(await walk((all) => all.map((w) => [w])));
    });
  });

  it("takes parameters that share their memory one after the other", async () => {
    await device.scope(async () => {
      const w = leaf([1, 2]);
      const tied = Object.assign(w.detach(), { requiresGrad: true });
      give(w, device.tensor([1, 1]));
      give(tied, device.tensor([2, 4]));
      new optim.SGD([w, tied], { lr: 1 }).step();
      expect(Array.from(await w.data())).toEqual([-2, -3]);
    });
  });

  it("gives back all memory", async () => {
    const { liveBytes } = device.memory();
    const w = device.full([1000], 1, { requiresGrad: true });
    const adam = new optim.AdamW([w]);
    await device.scope(() => {
      sum(w).backward();
      adam.step();
    });
    expect(device.memory().liveBytes).toBeGreaterThan(liveBytes + 12_000);
    adam.zeroGrad();
    adam.dispose();
    w.dispose();
    expect(device.memory().liveBytes).toBe(liveBytes);
  });

  it.each(["SGD", "AdamW", "Adam", "RMSprop"] as const)(
    "%s goes on from its saved state as if it had not stopped",
    async (name) => {
      await device.scope(async () => {
        const options = { lr: 0.1, ...(name === "SGD" ? { momentum: 0.9 } : {}) };
        const steps = (
          w: Tensor,
          optimiser: optim.SGD | optim.AdamW | optim.Adam | optim.RMSprop,
          from: number,
          to: number,
        ): void => {
          for (let i = from; i < to; i++) {
            optimiser.zeroGrad();
            give(w, device.tensor([i - 1, 2 * i]));
            optimiser.step();
          }
        };
        const whole = leaf([1, 2]);
        steps(whole, new optim[name]([whole], options), 0, 4);
        const first = leaf([1, 2]);
        const one = new optim[name]([first], options);
        steps(first, one, 0, 2);
        const second = device.tensor(await first.data(), [2], { requiresGrad: true });
        const two = new optim[name]([second], options);
        two.loadStateDict(one.stateDict());
        steps(second, two, 2, 4);
        expect(await second.data()).toEqual(await whole.data());
        const other = new optim[name]([leaf([1, 2, 3])], options);
        expect(() => other.loadStateDict(one.stateDict())).toThrow(/loadStateDict: 0\.\w+ is \[2\], expected \[3\]/);
      });
    },
  );

  it("refuses settings out of range", async () => {
    await device.scope(() => {
      const w = leaf([1]);
      expect(() => new optim.SGD([w], { lr: -1 })).toThrow("SGD: lr is -1, expected a finite number of at least 0");
      expect(() => new optim.SGD([w], { lr: 1, nesterov: true })).toThrow(
        "SGD: nesterov with momentum 0 and dampening 0",
      );
      expect(() => new optim.SGD([], { lr: 1 })).toThrow("SGD: there are no parameters");
      expect(() => new optim.AdamW([])).toThrow("AdamW: there are no parameters");
      expect(() => new optim.SGD([mul(w, 2), w], { lr: 1 })).toThrow(
        "SGD: parameter 0 of shape [1] is a result of mul, not a leaf",
      );
      expect(() => new optim.SGD([w, w], { lr: 1 })).toThrow("SGD: a parameter was given more than once");
      expect(() => new optim.AdamW([w], { betas: [0.9, 1] })).toThrow(
        "AdamW: betas is [0.9,1], expected two numbers from 0 to below 1",
      );
    });
  });
});

it("steps are named where the device is gone", async () => {
  const own = await createDevice({ quiet: true });
  const w = own.tensor([1], [1], { requiresGrad: true });
  sum(mul(w, 2)).backward();
  const [sgd, adamw] = [new optim.SGD([w], { lr: 1 }), new optim.AdamW([w])];
  adamw.step();
  own.destroy();
  expect(() => sgd.step()).toThrow(/^SGD: /);
  expect(() => adamw.step()).toThrow(/^AdamW: /);
});

describe("lrScheduler", () => {
  it("sets the rate of a real optimiser", async () => {
    await device.scope(() => {
      const sgd = new optim.SGD([{ params: [leaf([1])] }, { params: [leaf([1])], lr: 2 }], { lr: 1 });
      optim.lrScheduler.poly(sgd, { totalSteps: 2, power: 1 }).step();
      expect(sgd.groups.map(({ lr }) => lr)).toEqual([0.5, 1]);
      sgd.lr = 3;
      expect([sgd.lr, ...sgd.groups.map(({ lr }) => lr)]).toEqual([3, 3, 3]);
    });
  });
});
