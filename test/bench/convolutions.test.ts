import { expect, it } from "vitest";
import { geometryOf, PASSES, plansByTile, TILE_CASES, tileName } from "../../bench/lib/convolutions.mjs";

const caps = { subgroupSize: 32, bindingLimit: 2 ** 27, parallelism: 256 };

it("sizes make a geometry", () => {
  const sizes = { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] } as const;
  expect(geometryOf(sizes)).toEqual({
    ...{ n: 2, inC: 3, inH: 10, inW: 9, outC: 21, outH: 5, outW: 8, kernelH: 3, kernelW: 2, strideH: 2, strideW: 1 },
    ...{ padH: 1, padW: 0, dilationH: 1, dilationW: 1, groups: 1 },
  });
  expect(geometryOf({ ...TILE_CASES.depthwise, dilation: [2, 3] })).toMatchObject({ groups: 96, outH: 78, outW: 116 });
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
