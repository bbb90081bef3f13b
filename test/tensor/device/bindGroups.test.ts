import { createDevice, type Device, mean, mul, nn, optim, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { globals } from "webgpu";

let device: Device;
/** Bind groups that were made so far. */
let made = 0;
let restore = (): void => {};

beforeAll(async () => {
  device = await createDevice({ quiet: true });
  const { prototype } = (globals as unknown as { readonly GPUDevice: { readonly prototype: GPUDevice } }).GPUDevice;
  const { createBindGroup } = prototype;
  prototype.createBindGroup = function (this: GPUDevice, descriptor) {
    made++;
    return createBindGroup.call(this, descriptor);
  };
  restore = () => {
    prototype.createBindGroup = createBindGroup;
  };
});
afterAll(() => {
  restore();
  device.destroy();
});

/** Losses of a few training steps, and how many bind groups each made. */
async function train(steps: number, sizeOf: (step: number) => number) {
  const conv = (from: number, to: number, seed: number) =>
    new nn.Conv2d(device, from, to, { kernelSize: 3, padding: 1, seed });
  const net = new nn.Sequential(conv(3, 8, 1), new nn.ReLU(), conv(8, 8, 2), new nn.ReLU(), conv(8, 1, 3));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const losses: number[] = [];
  const groups: number[] = [];
  for (let i = 0; i < steps; i++) {
    const before = made;
    await device.scope(async () => {
      const size = sizeOf(i);
      const x: Tensor = device.randn([1, 3, size, size], { seed: i });
      const y = net.forward(x);
      const loss = mean(mul(y, y));
      loss.backward();
      optimizer.step();
      optimizer.zeroGrad();
      losses.push(await loss.item());
    });
    groups.push(made - before);
  }
  return { losses, groups };
}

it("training steps of one shape get their bind groups from the ones before", async () => {
  const { losses, groups } = await train(6, () => 16);
  expect(groups[0]).toBeGreaterThan(10);
  expect(groups.slice(3)).toEqual([0, 0, 0]);
  expect(losses.at(-1)).toBeLessThan(losses[0]!);
});

it("sizes that change, and memory that is given back, change no result", async () => {
  const sizes = [16, 24, 8, 16, 24, 8];
  const { losses } = await train(6, (i) => sizes[i]!);
  device.trim();
  expect((await train(6, (i) => sizes[i]!)).losses).toEqual(losses);
});
