import { expect, it } from "vitest";
import { differences } from "../../bench/static.mjs";
import { compile } from "../../bench/stub/driver.mjs";
import { stubEnvironment } from "../../bench/stub/shim.mjs";

interface Figures {
  readonly scratchBytes: number;
  readonly spills: number;
  readonly loop?: { readonly multiplyAdds: number };
}

/** Whether the stub of a GPU is there; Intel's, which must be built, only where it has been. */
function hasStub(gpu: string): boolean {
  try {
    stubEnvironment(gpu, { build: false });
    return true;
  } catch (error) {
    console.log(`not run: ${(error as Error).message}`);
    return false;
  }
}

const busiest = (all: readonly [string, Figures][]) => Math.max(...all.map(([, { loop }]) => loop?.multiplyAdds ?? 0));

it.runIf(hasStub("vega10"))("AMD's compiler keeps the values of all kernels of a step in registers", async () => {
  const { pipelines, train, predict } = await compile("vega10", "d2l-resnet18");
  expect(Object.keys(pipelines).length).toBeGreaterThan(30);
  expect(Object.values(train).length).toBeGreaterThan(20);
  expect(Object.values(predict).length).toBeGreaterThan(10);
  const all: [string, Figures][] = Object.entries(pipelines);
  const inMemory = all.filter(([, { scratchBytes, spills }]) => scratchBytes > 0 || spills > 0);
  expect(inMemory).toEqual([]);
  expect(busiest(all)).toBeGreaterThanOrEqual(128);
});

it.runIf(hasStub("tgl"))("Intel's compiler takes all kernels of a step, none with arrays in memory", async () => {
  const { pipelines, train } = await compile("tgl", "d2l-resnet18");
  expect(Object.keys(pipelines).length).toBeGreaterThan(30);
  expect(Object.values(train).length).toBeGreaterThan(20);
  const all: [string, Figures & { readonly simd: number }][] = Object.entries(pipelines);
  expect(all.filter(([, { simd }]) => ![8, 16, 32].includes(simd))).toEqual([]);
  expect(all.filter(([, { scratchBytes }]) => scratchBytes > 0)).toEqual([]);
  // Only kernels with many values a thread spill.
  expect(all.filter(([key, { spills }]) => spills > 0 && !key.startsWith("conv2d/"))).toEqual([]);
  expect(busiest(all)).toBeGreaterThanOrEqual(64);
});

it("a record of some nets is compared with the pipelines of those nets alone, of the same GPU", () => {
  const figures = { simd: 8, spills: 0, fills: 0, scratchBytes: 0, workgroupBytes: 0 };
  const row = (spills: number, ...nets: string[]) => ({
    ...figures,
    spills,
    dispatches: Object.fromEntries(nets.map((net) => [net, { train: 1, predict: 1 }])),
  });
  const earlier = { gpu: "tgl", rows: { both: row(0, "a", "b"), gone: row(0, "a"), other: row(0, "b") } };
  const record = { gpu: "tgl", rows: { both: row(2, "a"), added: row(0, "a") } };
  expect(differences(record, earlier, ["a"]).map(([key]: string[]) => key)).toEqual(["both", "gone", "added"]);
  expect(differences(record, earlier, ["a", "b"]).map(([key]: string[]) => key)).toContain("other");
  expect(() => differences(record, { ...earlier, gpu: "navi21" }, ["a"])).toThrow(/of navi21, not of tgl/);
});
