import { expect, it } from "vitest";
import { geometryOf, PASSES, plansByTile, TILE_CASES, tileName } from "../../bench/lib/convolutions.mjs";
import { geometryOf as expectedGeometry } from "../support/convolution.js";

const caps = { subgroupSize: 32, bindingLimit: 2 ** 27, parallelism: 256 };

it("sizes are what the tests take them for", () => {
  const sizes = { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] } as const;
  expect(geometryOf(sizes)).toEqual(expectedGeometry(sizes));
  expect(geometryOf(TILE_CASES.depthwise)).toMatchObject({ groups: 96, outH: 80, outW: 120 });
});

it("every tile has a plan that uses it, whatever was tuned before, and a name of its own", () => {
  const g = geometryOf(TILE_CASES["64-64"]);
  for (const pass of Object.keys(PASSES) as (keyof typeof PASSES)[]) {
    const all = plansByTile(pass, g, caps);
    expect(all.length).toBeGreaterThan(3);
    for (const { plan, tile } of all) expect(plan?.tunable?.tile).toEqual(tile);
    expect(new Set(all.map(({ tile }) => tileName(tile))).size).toBe(all.length);
    const [{ plan }] = all as [(typeof all)[number]];
    const { key, candidates } = plan!.tunable!;
    const tuned = { ...caps, tuning: { [key]: candidates.at(-1) } };
    expect(plansByTile(pass, g, tuned).map(({ tile }) => tile)).toEqual(candidates);
  }
  expect(tileName({ variant: "subgroup", TM: 16, SGN: 32, TV: 2 })).toBe("subgroup TM16 SGN32 TV2");
  expect(tileName({ variant: "register", TM: 8, SGN: 1, TV: 1 })).toBe("register TM8");
  expect(tileName(undefined)).toBe("-");
});
