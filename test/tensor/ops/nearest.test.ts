import { readFileSync } from "node:fs";
import * as t from "@fcn/tensor";
import { expect, it } from "vitest";

type Row = readonly [size: number, factor: number, reads: string];
const rows = JSON.parse(readFileSync(new URL("../../golden/nearest_scale.json", import.meta.url), "utf8")) as Row[];

it("nearest reads with a scale factor what PyTorch reads, and its gradient goes where it reads", async () => {
  using device = await t.createDevice({ quiet: true });
  expect(rows.length).toBeGreaterThan(1000);
  for (const size of new Set(rows.map(([n]) => n))) {
    await device.scope(async () => {
      const own = rows.filter(([n]) => n === size);
      const positions = Float32Array.from({ length: size }, (_, i) => i);
      const inputs = own.map(() => device.tensor(positions, [1, 1, 1, size], { requiresGrad: true }));
      const outputs = own.map(([, factor], i) => t.interpolate(inputs[i]!, { scaleFactor: [1, factor] }));
      const joined = t.concat(outputs, { dim: 3 });
      t.sum(joined).backward();
      const gradients = t.concat(
        inputs.map(({ grad }) => grad!),
        { dim: 3 },
      );
      const counts = own.map(([, , reads]) => Array.from(reads, (digit) => Number.parseInt(digit, 36)));
      const sources = counts.flatMap((list) => list.flatMap((count, i) => new Array<number>(count).fill(i)));
      expect([...(await joined.data())], `of ${size}`).toEqual(sources);
      expect([...(await gradients.data())], `gradient of ${size}`).toEqual(counts.flat());
    });
  }
});

it("nearest with a size takes even steps there", async () => {
  using device = await t.createDevice({ quiet: true });
  const x = device.tensor([0, 1, 2], [1, 1, 1, 3]);
  expect([...(await t.interpolate(x, { size: [1, 3] }).data())]).toEqual([0, 1, 2]);
  expect([...(await t.interpolate(x, { size: [1, 6] }).data())]).toEqual([0, 0, 1, 1, 2, 2]);
});
