import {
  type Capabilities,
  type Conv2dGeometry,
  type KernelTile,
  type MatrixStrides,
  planConv2d,
  planConv2dWeightGradient,
  planMatmul,
  type Tunable,
} from "@fcn/kernels";
import { conv2d, createDevice, type Device, type TuningResult } from "@fcn/tensor";
import { emptyTensor, runPlan } from "@fcn/tensor/internal";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ConvCase, geometryOf } from "../../support/convolution.js";
import { checkPlans } from "../../support/convolution-plans.js";
import { uniform } from "../../support/hash-values.js";

/** Few and many channels, with and without vec4, groups, strides, and one channel a group. */
const CASES: Readonly<Record<string, ConvCase>> = {
  "3x3": { channels: [8, 36], size: [9, 17], kernel: [3, 3], padding: [1, 1] },
  "odd channels": { n: 2, channels: [3, 21], size: [10, 9], kernel: [3, 2], stride: [2, 1], padding: [1, 0] },
  "groups, dilation": { channels: [16, 72], size: [8, 7], kernel: [2, 2], dilation: [2, 3], groups: 2 },
  upsampling: { channels: [5, 5], size: [24, 24], kernel: [8, 8], stride: [4, 4], padding: [2, 2] },
  depthwise: { channels: [12, 12], size: [11, 19], kernel: [3, 3], stride: [1, 2], padding: [1, 1], groups: 12 },
};

/** The same, images of few channels and sums that are split; with the number of the tile, the rules' first. */
const WORKGROUP_CASES: Readonly<Record<string, ConvCase & { tile: number }>> = {
  "3x3": { ...(CASES["3x3"] as ConvCase), tile: 1 },
  "odd channels": { ...(CASES["odd channels"] as ConvCase), tile: 4 },
  "groups, dilation": { ...(CASES["groups, dilation"] as ConvCase), tile: 0 },
  upsampling: { ...(CASES.upsampling as ConvCase), tile: 0 },
  "few channels": { n: 2, channels: [3, 8], size: [11, 13], kernel: [5, 3], stride: [2, 2], padding: [2, 1], tile: 0 },
  "few of four": { channels: [4, 21], size: [9, 8], kernel: [3, 3], padding: [1, 1], tile: 5 },
  "many channels": { channels: [152, 20], size: [5, 6], kernel: [3, 3], padding: [1, 1], tile: 0 },
  "two columns a thread": { channels: [12, 68], size: [12, 13], kernel: [1, 1], tile: 3 },
};

const devices: Record<string, Device> = {};
beforeAll(async () => {
  devices.subgroups = await createDevice({ quiet: true });
  devices["no subgroups"] = await createDevice({ quiet: true, subgroups: false });
});
afterAll(() => {
  for (const device of Object.values(devices)) device.destroy();
});

/** The tunables of the three plans of a geometry. */
function tunables(g: ReturnType<typeof geometryOf>, caps: Capabilities) {
  const plans = [
    planConv2d(g, "forward", true, caps),
    planConv2d(g, "transposed", true, caps),
    planConv2dWeightGradient(g, caps),
  ];
  return plans.flatMap((plan) => plan?.tunable ?? []);
}

/** An operand of a product: its values, one of them, and its strides. */
interface Operand {
  readonly data: Float32Array;
  readonly at: (n: number, row: number, column: number) => number;
  readonly strides: MatrixStrides;
}

/** Checks the three plans of a geometry with the `i`th of the candidates of each. */
async function checkTiles(device: Device, g: Conv2dGeometry, own: Capabilities, i: number): Promise<void> {
  const choices = tunables(g, own);
  const tuning = Object.fromEntries(
    choices.map(({ key, candidates }) => [key, candidates[i % candidates.length] as KernelTile]),
  );
  const caps = { ...own, tuning };
  for (const { key, tile } of tunables(g, caps)) expect(tile).toEqual(tuning[key]);
  await checkPlans(device, g, caps);
}

describe.each(["subgroups", "no subgroups"])("every tile on a device with %s", (name) => {
  it.each(Object.keys(CASES))("computes what the rules' tile computes: %s", async (which) => {
    const device = devices[name] as Device;
    const g = geometryOf(CASES[which] as ConvCase);
    const most = Math.max(...tunables(g, device.capabilities).map(({ candidates }) => candidates.length));
    expect(most).toBeGreaterThan(2);
    for (let i = 0; i < most; i++) await checkTiles(device, g, device.capabilities, i);
  });
});

describe("tiles in workgroup memory", () => {
  // The software adapter compiles these kernels slowly, so that each case takes one tile of each plan.
  it.each(Object.entries(WORKGROUP_CASES))("compute what the reference does: %s", async (_, { tile, ...shape }) => {
    const device = devices["no subgroups"] as Device;
    const own: Capabilities = { ...device.capabilities, variants: ["workgroup"] };
    await checkTiles(device, geometryOf(shape), own, tile);
  });
});

describe("products in workgroup memory", () => {
  const [batch, rows, inner, columns] = [2, 68, 44, 36];
  const sizes = { a: [rows, inner], b: [inner, columns] } as const;
  /** Strides of an operand whose rows, or columns, or neither are dense. */
  const LAYOUTS = {
    rows: (_: number, c: number) => ({ row: c, column: 1, size: 0 }),
    columns: (r: number) => ({ row: 1, column: r, size: 0 }),
    strided: (_: number, c: number) => ({ row: 2 * c + 1, column: 2, size: 1 }),
  };
  type Name = keyof typeof LAYOUTS;
  const pairs: [Name, Name][] = [
    ["rows", "rows"],
    ["columns", "columns"],
    ["rows", "columns"],
    ["columns", "rows"],
    ["strided", "strided"],
  ];

  it.each(pairs)("compute what the reference does: a by %s, b by %s", async (...orders) => {
    const device = devices["no subgroups"] as Device;
    const caps: Capabilities = { ...device.capabilities, parallelism: 64, variants: ["workgroup"] };
    const [a, b] = (["a", "b"] as const).map((name, i) => {
      const [r, c] = sizes[name];
      const { row, column, size } = LAYOUTS[orders[i] as Name](r, c);
      const length = (r - 1) * row + (c - 1) * column + 1 + size;
      const data = uniform(name, [batch, length], 1);
      const at = (n: number, y: number, x: number) => data[n * length + y * row + x * column] as number;
      return { data, at, strides: { batch: [length], row, column } };
    }) as Operand[] as [Operand, Operand];
    const plan = planMatmul({ batch: [batch], rows, inner, columns, a: a.strides, b: b.strides }, caps);
    expect(plan.steps[0]?.kernel.name).toBe("matmul/product-workgroup");
    await device.scope(async () => {
      const c = emptyTensor(device, [batch, rows, columns]);
      runPlan(device, "matmul", plan, { a: device.tensor(a.data), b: device.tensor(b.data), c });
      const got = await c.data();
      for (let i = 0; i < got.length; i++) {
        const [n, y, x] = [Math.floor(i / rows / columns), Math.floor(i / columns) % rows, i % columns];
        let want = 0;
        for (let k = 0; k < inner; k++) want += a.at(n, y, k) * b.at(n, k, x);
        expect(Math.abs((got[i] as number) - want)).toBeLessThan(1e-5);
      }
    });
  });
});

describe.each(["workgroup", "register"] as const)("long sums of a slice, in the variant %s", (variant) => {
  /** A device that nothing need be split for. */
  const capsOf = ({ capabilities }: Device): Capabilities => ({ ...capabilities, parallelism: 1, variants: [variant] });

  it("add the runs of a weight gradient", async () => {
    const device = devices["no subgroups"] as Device;
    const g = geometryOf({ channels: [8, 20], size: [28, 26], kernel: [3, 3], padding: [1, 1] });
    const caps = capsOf(device);
    const linesPerSplit = Number(planConv2dWeightGradient(g, caps)?.steps[0]?.params.linesPerSplit);
    expect(linesPerSplit * g.outW).toBeGreaterThan(256);
    await checkTiles(device, g, caps, 0);
  });

  it("add the runs of a product", async () => {
    const device = devices["no subgroups"] as Device;
    const [rows, inner, columns] = [40, 1300, 36];
    const dense = (columns: number) => ({ batch: [], row: columns, column: 1 });
    const shape = { batch: [], rows, inner, columns, a: dense(inner), b: dense(columns) };
    const plan = planMatmul(shape, capsOf(device));
    expect(plan.steps).toHaveLength(1);
    expect(plan.tunable?.tile.variant).toBe(variant);
    const [a, b] = [uniform("a", [rows, inner], 1), uniform("b", [inner, columns], 1)];
    const want = Array.from({ length: rows * columns }, (_, i) => {
      const [y, x] = [Math.floor(i / columns), i % columns];
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += (a[y * inner + k] as number) * (b[k * columns + x] as number);
      return sum;
    });
    await device.scope(async () => {
      const c = emptyTensor(device, [rows, columns]);
      runPlan(device, "matmul", plan, { a: device.tensor(a), b: device.tensor(b), c });
      const got = await c.data();
      expect(Math.max(...want.map((v, i) => Math.abs((got[i] as number) - v)))).toBeLessThan(1e-4);
    });
  });
});

describe("a tile that is no candidate", () => {
  it("is passed over: files of another device or version do no harm", () => {
    const caps = { subgroupSize: 0, bindingLimit: 2 ** 27, parallelism: 32 };
    const g = geometryOf(CASES["3x3"] as ConvCase);
    const { key, tile } = tunables(g, caps)[0] as Tunable;
    const foreign: KernelTile = { variant: "subgroup", TM: 32, SGN: 32, TV: 1 };
    for (const wrong of [
      foreign,
      { variant: "register", TM: 1e9, SGN: 1, TV: 1 } as KernelTile,
      null as unknown as KernelTile,
    ])
      expect(tunables(g, { ...caps, tuning: { [key]: wrong } })[0]?.tile).toEqual(tile);
  });
});

describe("device.tune", () => {
  it("measures each convolution of the work once, keeps what is faster, and leaves no memory after", async () => {
    const device = await createDevice({ quiet: true });
    try {
      const x = device.rand([1, 8, 12, 12], { seed: 1 });
      const w = device.rand([8, 8, 3, 3], { seed: 2, requiresGrad: true });
      const before = await conv2d(x, w).data();
      const { liveBytes, liveTensors } = device.memory();
      const results: TuningResult[] = [];
      const tuning = await device.tune(
        () => {
          conv2d(x, w);
          conv2d(x, w);
        },
        {
          onProgress: (done, total, result) => void results.push({ ...result, key: `${done}/${total} ${result.key}` }),
        },
      );
      expect(results).toHaveLength(1);
      expect(results[0]?.key).toMatch(/^1\/1 conv2d forward 3x3 .* channels 8-8 /);
      expect(Object.keys(tuning)).toHaveLength(results[0]?.speedup === 1 ? 0 : 1);
      expect(device.capabilities.tuning).toEqual(tuning);
      expect(device.memory()).toMatchObject({ liveBytes, liveTensors });
      const after = await conv2d(x, w).data();
      for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
      const again = await createDevice({ quiet: true, tuning: () => tuning });
      expect(again.capabilities.tuning).toEqual(tuning);
      again.destroy();
    } finally {
      device.destroy();
    }
  });
});
