import { createDevice } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newNet, sideBySide } from "../../../studio/src/learn/nets.js";
import { Patches } from "../../../studio/src/learn/patches.js";
import { type Reading, Trainee } from "../../../studio/src/learn/trainee.js";
import { Turns } from "../../../studio/src/learn/turns.js";

const classes = [
  { id: "a", name: "dark", colour: [0, 0, 255] },
  { id: "b", name: "bright", colour: [255, 0, 0] },
] as const;
const [height, width] = [48, 64];

/** Dark on the left and bright on the right, with a line painted in each half. */
function lesson() {
  const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (Math.floor(i / 3) % width < 32 ? 40 : 200));
  const labels = new Uint8Array(height * width).fill(255);
  for (let y = 8; y < 40; y++) labels.set([0, 0], y * width + 10);
  for (let y = 8; y < 40; y++) labels.set([1, 1], y * width + 50);
  return { image: { data, height, width, channels: 3 }, labels };
}

let device: Awaited<ReturnType<typeof createDevice>>;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device.destroy());

function trainee(net: ReturnType<typeof newNet>, turns: Turns, onReading: (reading: Reading) => Promise<void>) {
  const { preprocessing } = net.metadata;
  const patches = new Patches({ side: 32, count: 2, augment: true, preprocessing, seed: 1 });
  patches.lessons = [lesson()];
  return new Trainee({ net, patches, turns, learningRate: 1e-3, onReading });
}

/** Trains until so many steps are read. */
function until(steps: number) {
  const readings: Reading[] = [];
  let done: () => void = () => {};
  const reached = new Promise<void>((resolve) => (done = resolve));
  const onReading = async (reading: Reading): Promise<void> => {
    readings.push(reading);
    if (reading.step >= steps) done();
  };
  return { readings, reached, onReading };
}

it("learns, halts between two steps, goes on where it was, and stops", async () => {
  const net = newNet("fcn8s-small", classes, device, 1);
  const { readings, reached, onReading } = until(21);
  const one = trainee(net, new Turns(), onReading);
  const running = one.run();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(one.step).toBe(0);
  one.isOn = true;
  await reached;
  one.isOn = false;
  expect(readings[0]?.step).toBe(1);
  expect(readings.at(-1)!.loss).toBeLessThan(readings[0]!.loss / 2);
  await one.stop();
  await running;
  const { step } = one;
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(one.step).toBe(step);
}, 120_000);

it("goes on from its state with the count of its steps", async () => {
  const net = newNet("fcn8s-small", classes, device, 1);
  const turns = new Turns();
  const first = until(6);
  const one = trainee(net, turns, first.onReading);
  void one.run();
  one.isOn = true;
  await first.reached;
  one.isOn = false;
  const from = await turns.run(async () => one.state!);
  expect(from.step).toBe(one.step);
  const optimizer = Object.fromEntries(
    await Promise.all(
      Object.entries(from.optimizer).map(async ([name, { shape, data, dtype }]) => {
        const values = typeof data === "function" ? await data.call(from.optimizer[name]) : data;
        return [name, { dtype, shape, data: values }] as const;
      }),
    ),
  );
  await one.stop();
  const second = until(from.step + 5);
  const { preprocessing } = net.metadata;
  const patches = new Patches({ side: 32, count: 2, augment: true, preprocessing, seed: 2 });
  patches.lessons = [lesson()];
  const state = { step: from.step, optimizer: optimizer as typeof from.optimizer };
  const options = { net, patches, turns, learningRate: 1e-3, onReading: second.onReading };
  const again = new Trainee({ ...options, from: state });
  void again.run();
  again.isOn = true;
  await second.reached;
  await again.stop();
  expect(second.readings[0]?.step).toBe(from.step + 1);
}, 120_000);

it("nets side by side start from one backbone and make a step each in turn", async () => {
  const net = newNet("fcn8s-small", classes, device, 1);
  const nets = sideBySide(net, device);
  const own = await Promise.all(
    [net, nets[32], nets[16], nets[8]].map(async ({ model }) => {
      const state = model.stateDict() as Record<string, { data(): Promise<ArrayLike<number>> }>;
      const [name] = Object.keys(state);
      return [name, Array.from(await state[name!]!.data())] as const;
    }),
  );
  for (const other of own) expect(other).toEqual(own[0]);
  expect(new Set(own[0]![1]).size).toBeGreaterThan(10);
  expect([nets[32], nets[16], nets[8]].map(({ metadata }) => metadata.model)).toEqual([
    "fcn32s-small",
    "fcn16s-small",
    "fcn8s-small",
  ]);
  const turns = new Turns();
  const most: number[] = [];
  const reached = until(6);
  const list = [nets[32], nets[16], nets[8]].map((each) => trainee(each, turns, reached.onReading));
  const watch = setInterval(() => {
    const steps = list.map(({ step }) => step);
    most.push(Math.max(...steps) - Math.min(...steps));
  }, 5);
  for (const each of list) void each.run();
  for (const each of list) each.isOn = true;
  await reached.reached;
  clearInterval(watch);
  for (const each of list) await each.stop();
  expect(Math.max(...most)).toBeLessThanOrEqual(1);
}, 120_000);
