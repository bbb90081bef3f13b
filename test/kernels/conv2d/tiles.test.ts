import {
  type Capabilities,
  type Conv2dGeometry,
  type Direction,
  planConv2d,
  planConv2dWeightGradient,
} from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, outline, soundSteps } from "../../support/plans.js";
import { g } from "./geometries.js";

const subgroups = { ...largeDevice, subgroupSize: 32 };
/** Subgroups as narrow as those of the software adapter, for whose lanes more accumulators pay. */
const narrow = { ...largeDevice, subgroupSize: 8, tallest: 32 };

describe("tiles on a device with subgroups", () => {
  const tileOf = (o: Partial<Conv2dGeometry>, caps = subgroups, direction: Direction = "forward") => {
    const { variant, TM, SGN, TV } = planConv2d({ ...g, ...o }, direction, false, caps)!.tunable!.tile;
    return [variant, TM, SGN, TV];
  };

  it("have a team as wide as the columns, at most the subgroup, and rows enough to share loads", () => {
    const large = { inH: 512, inW: 512, outH: 512, outW: 512 };
    expect(tileOf({ ...large, outC: 4 })).toEqual(["subgroup", 8, 1, 1]);
    expect(tileOf({ ...large, outC: 12 })).toEqual(["subgroup", 16, 4, 1]);
    expect(tileOf({ ...large, outC: 512 })).toEqual(["subgroup", 16, 32, 1]);
    expect(tileOf({ ...large, outC: 512 }, narrow)).toEqual(["subgroup", 32, 8, 1]);
    expect(tileOf({ ...large, outC: 512 }, largeDevice)).toEqual(["register", 8, 1, 1]);
  });

  it("are offered once each, whichever of them the rules choose", () => {
    const { tile, candidates } = planConv2d(
      { ...g, inH: 512, inW: 512, outH: 512, outW: 512 },
      "forward",
      false,
      subgroups,
    )!.tunable!;
    expect(candidates[0]).toEqual(tile);
    expect(new Set(candidates.map((candidate) => JSON.stringify(candidate))).size).toBe(candidates.length);
  });

  it("are none where the adapter lacks subgroups, wherever they stand in the list, and whatever a file says", () => {
    const variants = ["workgroup", "subgroup", "register", "winograd"] as const;
    const own = { ...largeDevice, variants };
    const plans = (caps: Capabilities) => [
      planConv2d(g, "forward", false, caps)!,
      planConv2d(g, "transposed", false, caps)!,
      planConv2dWeightGradient(g, caps)!,
    ];
    const withThem = plans({ ...own, subgroupSize: 32 });
    for (const [i, { tunable }] of plans(own).entries()) {
      const { key, candidates, tile } = tunable!;
      expect(new Set(candidates.map(({ variant }) => variant))).toEqual(new Set(["workgroup", "register"]));
      for (const foreign of withThem[i]!.tunable!.candidates.filter(({ variant }) => variant === "subgroup")) {
        const tuned = plans({ ...own, tuning: { [key]: foreign } })[i]!;
        expect(tuned.tunable!.tile).toEqual(tile);
        expect(tuned.steps.some(({ kernel }) => kernel.source.includes("enable subgroups"))).toBe(false);
      }
    }
  });

  it("are lower where the device would be idle", () => {
    expect(tileOf({ outC: 512 })).toEqual(["subgroup", 8, 32, 1]);
    expect(tileOf({ outC: 512 }, { ...subgroups, parallelism: 12 })).toEqual(["subgroup", 16, 32, 1]);
    expect(tileOf({ outC: 512 }, { ...narrow, parallelism: 12 })).toEqual(["subgroup", 32, 8, 1]);
    expect(tileOf({ outC: 128 }, { ...subgroups, parallelism: 5 })).toEqual(["subgroup", 16, 32, 1]);
  });

  it("may be of full and half width, and of one or two columns a lane", () => {
    const { candidates } = planConv2d({ ...g, outC: 32 }, "forward", false, subgroups)!.tunable!;
    expect(candidates.map(({ variant, TM, SGN, TV }) => `${variant} ${TM} ${SGN} ${TV}`).sort()).toEqual([
      ...["register 16 1 1", "register 4 1 1", "register 8 1 1"],
      ...["subgroup 16 4 1", "subgroup 16 4 2", "subgroup 16 8 1"],
      ...["subgroup 8 4 1", "subgroup 8 4 2", "subgroup 8 8 1"],
    ]);
    const taller = planConv2d({ ...g, outC: 32 }, "forward", false, narrow)!.tunable!.candidates;
    expect(taller.some(({ variant, TM }) => variant === "subgroup" && TM === 32)).toBe(true);
    const gradient = planConv2dWeightGradient({ ...g, outC: 4 }, subgroups)!.tunable!;
    expect(gradient.key).toBe("conv2d weight gradient 3x2 stride 2x1 dilation 1x2 channels 8-4 groups 1 pixels 64");
    expect(gradient.candidates.map(({ variant, TM, SGN, TV }) => `${variant} ${TM} ${SGN} ${TV}`)).toEqual([
      ...["subgroup 8 1 1", "subgroup 16 1 1"],
      ...["register 8 1 1", "register 4 1 1", "register 16 1 1"],
    ]);
  });

  it("of a weight gradient cover its rows and are no higher", () => {
    const tile = (o: Partial<Conv2dGeometry>, caps = subgroups) =>
      planConv2dWeightGradient({ ...g, ...o }, caps)!.tunable!.tile;
    expect(tile({ inC: 512, outC: 512 })).toMatchObject({ SGN: 32, TM: 16 });
    expect(tile({ inC: 512, outC: 16 })).toMatchObject({ SGN: 4, TM: 16 });
    expect(tile({ inC: 512, outC: 512 }, narrow)).toMatchObject({ SGN: 8, TM: 32 });
    expect(tile({ inC: 512, outC: 16 }, narrow)).toMatchObject({ SGN: 4, TM: 32 });
    expect(tile({ inC: 512, outC: 8 })).toMatchObject({ SGN: 2, TM: 8 });
    expect(tile({ inC: 4, outC: 512 })).toMatchObject({ SGN: 32, TM: 16 });
    expect(tile({ inC: 2, outC: 512 })).toMatchObject({ SGN: 32, TM: 16 });
    expect(tile({ kernelH: 2, inC: 4, outC: 512 })).toMatchObject({ SGN: 32, TM: 16 });
    expect(tile({ inC: 1, outC: 512 })).toMatchObject({ SGN: 32, TM: 8 });
  });

  it("are not offered where there are none", () => {
    const { candidates } = planConv2d(g, "forward", false, largeDevice)!.tunable!;
    expect(candidates.map(({ variant }) => variant)).toEqual(["register", "register", "register"]);
    expect(candidates.map(({ TM }) => TM)).toEqual([8, 4, 16]);
  });

  it("are named by all the pixels that there are, of groups and phases too", () => {
    const key = (o: Partial<Conv2dGeometry>, direction: Direction) =>
      planConv2d({ ...g, ...o }, direction, false, subgroups)!.tunable!.key.replace(/.* /, "");
    expect(key({ groups: 4 }, "forward")).toBe("256");
    expect(key({ strideW: 2, outW: 4 }, "transposed")).toBe("128");
  });

  it("cover the rows of a weight gradient", () => {
    const [step] = planConv2dWeightGradient({ ...g, inC: 32, outC: 8 }, subgroups)!.steps;
    expect(outline(step!)).toMatchObject({ TM: 8, SGN: 2, mTiles: 2 });
  });

  it("give a workgroup a tile", () => {
    const [step] = soundSteps(planConv2d(g, "forward", true, subgroups), subgroups);
    expect(outline(step!)).toMatchObject({
      kernel: "conv2d/gather-subgroup",
      ...{ SG: 32, SGN: 4, TM: 8, TV: 1, tiles: 2, mTiles: 2, nTiles: 1 },
      grid: [2, 1, 1],
    });
    const [gradient] = soundSteps(planConv2dWeightGradient(g, subgroups), subgroups);
    expect(outline(gradient!)).toMatchObject({
      kernel: "conv2d/weight-gradient-subgroup",
      ...{ SG: 32, SGN: 4, TM: 8, tiles: 10, mTiles: 1, nTiles: 1, splits: 10 },
      grid: [10, 1, 1],
    });
    const wide = { ...g, outC: 32 };
    const { key } = planConv2d(wide, "forward", false, subgroups)!.tunable!;
    const tuning = { [key]: { variant: "subgroup", TM: 16, SGN: 4, TV: 2 } as const };
    const [tuned] = soundSteps(planConv2d(wide, "forward", false, { ...subgroups, tuning }), subgroups);
    expect(outline(tuned!)).toMatchObject({ SGN: 4, TM: 16, TV: 2, nTiles: 1, mTiles: 1 });
  });
});

describe("tiles in workgroup memory", () => {
  const gpu: Capabilities = { ...largeDevice, parallelism: 1024, variants: ["workgroup", "register"] };
  const image = { ...{ inH: 512, inW: 512, outH: 512, outW: 512 }, ...{ strideH: 1, kernelW: 3, dilationW: 1 } };
  const step = (o: Partial<Conv2dGeometry>, direction: Direction = "forward", caps = gpu) =>
    outline(
      soundSteps(planConv2d({ ...g, ...image, ...o }, direction, false, caps), caps).find(
        ({ kernel }) => kernel.name !== "conv2d/pack-weight",
      )!,
    );
  const gradient = (o: Partial<Conv2dGeometry>, caps = gpu) =>
    outline(soundSteps(planConv2dWeightGradient({ ...g, ...image, ...o }, caps), caps)[0]!);

  it("are as wide as the channels", () => {
    expect(step({ inC: 64, outC: 64 })).toMatchObject({ TM: 8, TV: 1, PM: 8, PN: 16, BK: 8, nTiles: 1, mTiles: 8192 });
    expect(step({ inC: 64, outC: 21 })).toMatchObject({ TM: 8, TV: 1, PM: 16, PN: 8, BK: 8, nTiles: 1, mTiles: 4096 });
    expect(step({ inC: 64, outC: 16 })).toMatchObject({ TM: 4, TV: 1, PM: 16, PN: 4, BK: 8, nTiles: 1, mTiles: 8192 });
    expect(step({ inC: 21, outC: 64 }, "transposed")).toMatchObject({ PN: 8, nTiles: 1 });
    expect(gradient({ inC: 64, outC: 64 })).toMatchObject({ TM: 8, PM: 8, PN: 16, mTiles: 9, nTiles: 1 });
    expect(gradient({ inC: 64, outC: 32 })).toMatchObject({ TM: 4, PM: 8, PN: 8, mTiles: 18, nTiles: 1 });
    expect(gradient({ inC: 3, outC: 64 })).toMatchObject({ TM: 4, PN: 8, mTiles: 1, nTiles: 2 });
  });

  it("are small, and cut K, where few would leave a GPU idle", () => {
    const small = { inH: 16, inW: 16, outH: 16, outW: 16, n: 1, inC: 64, outC: 64 };
    // 16 tiles for 256 workgroups; K has 576 rows, and a share no fewer than 128.
    expect(step(small)).toMatchObject({ TM: 4, PN: 8, mTiles: 8, nTiles: 2, rowsPerSplit: 160, tiles: 64 });
    expect(step({ ...small, n: 2, outC: 128 })).toMatchObject({ rowsPerSplit: 160, tiles: 64 * 4 });
    expect(step(small, "forward", { ...gpu, parallelism: 32 })).toMatchObject({ PN: 8, rowsPerSplit: 576, tiles: 16 });
    const { steps, scratch } = planConv2d({ ...g, ...image, ...small }, "forward", false, gpu)!;
    expect(steps.map(({ kernel }) => kernel.name)).toEqual(["conv2d/gather-workgroup", "conv2d/finish-slices"]);
    expect(scratch).toEqual({ slices: 4 * 16 * 16 * 64 * 4 });
    // Phases of a transposed convolution see different rows of K.
    const up = { ...small, outH: 8, outW: 8, strideH: 2, strideW: 2 };
    expect(step(up, "transposed")).toMatchObject({ rowsPerSplit: 576, tiles: 2 * 2 * 4 });
  });

  it("take a row of the kernel as one where images have few channels in one group", () => {
    expect(step({ inC: 3 })).toMatchObject({ MERGED: true, VEC_IN: false, TAIL: true });
    expect(step({ inC: 4 })).toMatchObject({ MERGED: true, VEC_IN: false });
    expect(step({ inC: 8, outC: 64 })).toMatchObject({ MERGED: false, VEC_IN: true, TAIL: false });
    expect(step({ inC: 12, outC: 64 })).toMatchObject({ MERGED: false, VEC_IN: true, TAIL: true });
    expect(step({ inC: 3, dilationW: 2 })).toMatchObject({ MERGED: false });
    expect(step({ inC: 12, groups: 4 })).toMatchObject({ MERGED: false });
    expect(step({ outC: 3 }, "transposed")).toMatchObject({ MERGED: false });
  });

  it("leave images that are too large for them to others", () => {
    const wide = { n: 1, inC: 4, outC: 4, inH: 1, outH: 1, kernelH: 1, padH: 0 };
    expect(step({ ...wide, inW: 32764, outW: 32764 }).kernel).toBe("conv2d/gather-workgroup");
    expect(step({ ...wide, inW: 32765, outW: 32765 }).kernel).toBe("conv2d/gather-register");
  });

  it("follow a pixel over as many line ends as there are in a step", () => {
    for (const [outW, CARRIES] of [
      [512, 1],
      [8, 1],
      [7, 2],
      [4, 2],
      [3, 4],
      [2, 4],
      [1, 8],
    ] as const)
      expect(gradient({ inW: outW, outW })).toMatchObject({ CARRIES });
  });
});
