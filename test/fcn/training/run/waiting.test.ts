import { describe, expect, it } from "vitest";
import { Waiting } from "../../../../packages/fcn/src/training/run/waiting.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Batches that take so long to make, one after the other. */
async function* slow(count: number, ms: number): AsyncGenerator<number, void> {
  for (let i = 0; i < count; i++) {
    if (ms > 0) await sleep(ms);
    yield i;
  }
}

async function secondsOf(batches: AsyncGenerator<number, void>, busy: number): Promise<number> {
  const waiting = new Waiting(batches, { sync: () => sleep(busy) });
  const seen: number[] = [];
  for await (const batch of waiting.stream()) seen.push(batch);
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  return waiting.seconds;
}

describe("the time that training waits", () => {
  it("is that between the end of the device's work and the next batch, from the second on", async () => {
    const idle = await secondsOf(slow(5, 40), 0);
    expect(idle).toBeGreaterThan(0.12);
    expect(idle).toBeLessThan(0.8);
    const overlapped = await secondsOf(slow(5, 40), 30);
    expect(overlapped).toBeGreaterThan(0);
    expect(overlapped).toBeLessThan(idle - 0.08);
    // A device that is busy for longer than a batch takes does not wait.
    expect(await secondsOf(slow(5, 20), 200)).toBeLessThan(0.02);
    expect(await secondsOf(slow(5, 0), 200)).toBeLessThan(0.02);
  });

  it("hands errors of batches and of the device on", async () => {
    async function* broken(): AsyncGenerator<number, void> {
      yield 0;
      await sleep(1);
      throw new Error("no batch");
    }
    await expect(secondsOf(broken(), 0)).rejects.toThrow("no batch");
    const lost = new Waiting(slow(2, 5), { sync: () => Promise.reject(new Error("device lost")) });
    await expect(lost.stream().next()).rejects.toThrow("device lost");
  });
});
