import { expect, it } from "vitest";
import { compile } from "../../bench/stub/driver.mjs";
import { stubEnvironment } from "../../bench/stub/shim.mjs";

const GPU = "vega10";

interface Figures {
  readonly scratchBytes: number;
  readonly spills: number;
  readonly loop?: { readonly multiplyAdds: number };
}

function hasStub(): boolean {
  try {
    stubEnvironment(GPU);
    return true;
  } catch (error) {
    console.log(`not run: ${(error as Error).message}`);
    return false;
  }
}

it.runIf(hasStub())("AMD's compiler keeps the values of all kernels of a training step in registers", async () => {
  const { pipelines, train, predict } = await compile(GPU, "d2l-resnet18");
  expect(Object.keys(pipelines).length).toBeGreaterThan(30);
  expect(Object.values(train).length).toBeGreaterThan(20);
  expect(Object.values(predict).length).toBeGreaterThan(10);
  const all: [string, Figures][] = Object.entries(pipelines);
  const inMemory = all.filter(([, { scratchBytes, spills }]) => scratchBytes > 0 || spills > 0);
  expect(inMemory).toEqual([]);
  const busiest = all.map(([, { loop }]) => loop?.multiplyAdds ?? 0);
  expect(Math.max(...busiest)).toBeGreaterThanOrEqual(128);
});
