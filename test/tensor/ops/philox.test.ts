import { planRandom, type RandomPlan } from "@fcn/kernels";
import { createDevice, type Device } from "@fcn/tensor";
import { emptyTensor, runPlan } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const [M0, M1, W0, W1] = [0xd2511f53, 0xcd9e8d57, 0x9e3779b9, 0xbb67ae85];
const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);
const low = (a: number, b: number): number => Math.imul(a, b) >>> 0;

/** Philox 4x32 with 10 rounds (Salmon et al. 2011). */
function philox(counter: readonly number[], seed: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let [k0, k1] = seed as [number, number];
  for (let round = 0; round < 10; round++) {
    [c0, c1, c2, c3] = [(high(M1, c2) ^ c1 ^ k0) >>> 0, low(M1, c2), (high(M0, c0) ^ c3 ^ k1) >>> 0, low(M0, c0)];
    [k0, k1] = [(k0 + W0) >>> 0, (k1 + W1) >>> 0];
  }
  return [c0, c1, c2, c3];
}

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true, bindingLimit: 4096 });
});
afterAll(() => device?.destroy());

const COUNT = 2601;

/** The numbers of a stream from 0 to below 1, of 24 bits. */
const uniforms = ({ seed, stream = 0 }: Pick<RandomPlan, "seed" | "stream">): number[] =>
  Array.from({ length: Math.ceil(COUNT / 4) }, (_, block) =>
    philox([block, stream, 0, 0], [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]).map((bits) => (bits >>> 8) / 2 ** 24),
  ).flat();

const drawn = (plan: Omit<RandomPlan, "count">, given?: Float32Array): Promise<number[]> =>
  device.scope(async () => {
    const y = emptyTensor(device, [COUNT]);
    const x = given ? { x: device.tensor(given, [COUNT]) } : {};
    runPlan(device, "random", planRandom({ ...plan, count: COUNT }, device.capabilities), { ...x, y });
    return Array.from(await y.data());
  });

const SEEDS = [
  { seed: 0 },
  { seed: 5, stream: 7 },
  { seed: 3 * 2 ** 32 + 0xfedcba98, stream: 1 },
  { seed: Number.MAX_SAFE_INTEGER },
];

describe("random numbers", () => {
  it("are those of Philox, whose known answers are these", () => {
    const words = (text: string): number[] => text.split(" ").map((word) => Number.parseInt(word, 16));
    const answers: readonly (readonly [string, string, string])[] = [
      ["0 0 0 0", "0 0", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
      ["ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"],
      ["243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"],
    ];
    for (const [counter, seed, answer] of answers) expect(philox(words(counter), words(seed))).toEqual(words(answer));
  });

  it.each(SEEDS)("are uniform in their bounds, %j", async (o) => {
    const wanted = uniforms(o).slice(0, COUNT);
    expect(await drawn({ ...o, mode: "uniform", a: 0, b: 1 })).toEqual(wanted);
    const bounded = await drawn({ ...o, mode: "uniform", a: -2, b: 3 });
    for (const [i, value] of bounded.entries()) expect(value).toBeCloseTo(5 * wanted[i]! - 2, 5);
  });

  it.each(SEEDS)("are normal by the transform of Box and Muller, %j", async (o) => {
    const u = uniforms(o);
    const found = await drawn({ ...o, mode: "normal", a: 0.5, b: 2 });
    for (const [i, value] of found.entries()) {
      const at = i - (i % 2);
      const [radius, angle] = [Math.sqrt(-2 * Math.log(1 - u[at]!)), 2 * Math.PI * u[at + 1]!];
      expect(value).toBeCloseTo(0.5 + 2 * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)), 3);
    }
  });

  it.each(SEEDS)("drop elements and whole channels, %j", async (o) => {
    const x = Float32Array.from({ length: COUNT }, (_, i) => i + 1);
    const u = uniforms(o);
    const kept = (cellOf: (i: number) => number) =>
      Array.from(x, (value, i) => (u[cellOf(i)]! >= 0.25 ? expect.closeTo(value / 0.75, 2) : 0));
    expect(await drawn({ ...o, mode: "dropout", a: 0.25 }, x)).toEqual(kept((i) => i));
    const cell = (i: number): number => Math.floor(i / 30) * 5 + (i % 5);
    expect(await drawn({ ...o, mode: "dropout", a: 0.25, period: 6, channels: 5 }, x)).toEqual(kept(cell));
  });
});
