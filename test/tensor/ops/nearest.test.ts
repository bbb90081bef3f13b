import { readFileSync } from "node:fs";
import * as t from "@fcn/tensor";
import { expect, it } from "vitest";

type Row = readonly [size: number, factor: number, reads: string];
const rows = JSON.parse(readFileSync(new URL("../../golden/nearest_scale.json", import.meta.url), "utf8")) as Row[];

it("nearest reads with a scale factor what PyTorch reads, and its gradient goes where it reads", async () => {
  using device = await t.createDevice({ quiet: true });
  expect(rows.length).toBeGreaterThan(1000);
  for (const [size, factor, reads] of rows) {
    await device.scope(async () => {
      const positions = Float32Array.from({ length: size }, (_, i) => i);
      const x = device.tensor(positions, [1, 1, 1, size], { requiresGrad: true });
      const y = t.interpolate(x, { scaleFactor: [1, factor] });
      t.sum(y).backward();
      const [sources, gradient] = await Promise.all([y.data(), x.grad!.data()]);
      const counts = Array.from(reads, (digit) => Number.parseInt(digit, 36));
      const wanted = counts.flatMap((count, i) => new Array<number>(count).fill(i));
      expect([...sources], `${size} times ${factor}`).toEqual(wanted);
      expect([...gradient], `gradient of ${size} times ${factor}`).toEqual(counts);
    });
  }
});

it("nearest with a size takes even steps there", async () => {
  using device = await t.createDevice({ quiet: true });
  const x = device.tensor([0, 1, 2], [1, 1, 1, 3]);
  expect([...(await t.interpolate(x, { size: [1, 3] }).data())]).toEqual([0, 1, 2]);
  expect([...(await t.interpolate(x, { size: [1, 6] }).data())]).toEqual([0, 0, 1, 1, 2, 2]);
});
