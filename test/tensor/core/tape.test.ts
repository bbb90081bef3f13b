import * as t from "@fcn/tensor";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { assertProperty } from "../../support/property.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

const leaf = (values: readonly number[]) => device.tensor(values, [values.length], { requiresGrad: true });
const values = async (x: t.Tensor) => Array.from(await x.data());
const held = () => {
  const { liveBytes, liveTensors } = device.memory();
  return { liveBytes, liveTensors };
};

/** Ops from [4] to [4] that save an input, their result, both, something of their own, or nothing. */
const OPS: readonly ((a: t.Tensor, b: t.Tensor) => t.Tensor)[] = [
  t.add,
  t.mul,
  t.div,
  (a) => t.exp(a),
  (a) => t.relu(a),
  (a) => t.softmax(a, { dim: 0 }),
  (a) => t.dropout(a, { seed: 1 }),
  (a) => {
    using largest = t.max(a, { dim: 0, keepdim: true });
    return t.sub(a, largest);
  },
  (a, b) => {
    using x = a.reshape([2, 2]);
    using y = b.reshape([2, 2]);
    using product = t.matmul(x, y);
    return product.reshape([4]);
  },
  (a, b) => {
    using both = t.concat([a, b]);
    return t.slice(both, [[2, 6]]);
  },
];

const graph = fc.record({
  nodes: fc.array(fc.record({ op: fc.nat(OPS.length - 1), a: fc.nat(99), b: fc.nat(99) }), {
    minLength: 1,
    maxLength: 12,
  }),
  backward: fc.array(fc.record({ from: fc.nat(99), retainGraph: fc.boolean() }), { maxLength: 4 }),
  /** When each result is disposed: below 0 before any backward, 10 never (the scope does it). */
  order: fc.array(fc.integer({ min: -5, max: 10 }), { minLength: 12, maxLength: 12 }),
  throws: fc.boolean(),
});

describe("the memory of a graph", () => {
  it("is free again, whatever part backward reaches and in whatever order tensors are disposed", async () => {
    const parameters = [leaf([1, -2, 3, 0.5]), leaf([0.1, 0.2, -0.3, 0.4])];
    const before = held();
    await assertProperty(graph, 60, async ({ nodes, backward, order, throws }) => {
      const work = device.scope(() => {
        const made = [...parameters];
        for (const { op, a, b } of nodes) made.push(OPS[op]!(made[a % made.length]!, made[b % made.length]!));
        const results = made.slice(parameters.length);
        const disposeWhere = (chosen: (rank: number) => boolean) => {
          const sorted = results.map((y, i) => ({ y, rank: order[i]! })).sort((x, z) => x.rank - z.rank);
          for (const { y, rank } of sorted) if (chosen(rank)) y.dispose();
        };
        disposeWhere((rank) => rank < 0);
        const ones = device.ones([4]);
        for (const { from, retainGraph } of backward) {
          const root = results[from % results.length]!;
          try {
            root.backward(ones, { retainGraph });
          } catch (error) {
            expect((error as t.TensorError).code).toMatch(/^(graph-freed|disposed)$/);
          }
        }
        disposeWhere((rank) => rank < 10);
        if (throws) throw new Error("on purpose");
      });
      if (throws) await expect(work).rejects.toThrow("on purpose");
      else await work;
      for (const parameter of parameters) parameter.zeroGrad();
      expect(held()).toEqual(before);
    });
    for (const parameter of parameters) parameter.dispose();
  });

  it("is free without a scope when the last result is disposed, and not before", async () => {
    const x = leaf([1, 2]);
    const before = held();
    const e = t.exp(x);
    const y = t.mul(e, e);
    e.dispose();
    using ones = device.ones([2]);
    y.backward(ones, { retainGraph: true });
    expect(await values(x.grad!)).toEqual([2, 4].map((v) => expect.closeTo(2 * Math.exp(v), 2)));
    x.zeroGrad();
    expect(held().liveBytes).toBeGreaterThan(before.liveBytes + 2 * 256);
    y.dispose();
    ones.dispose();
    expect(held()).toEqual(before);
    x.dispose();
  });

  it("is free after a backward that is refused", async () => {
    const before = held();
    await device.scope(() => {
      const x = leaf([1, 2]);
      const [constant, y] = [device.ones([]), t.sum(t.mul(x, t.exp(x)))];
      expect(() => constant.backward()).toThrow(expect.objectContaining({ code: "no-gradient" }));
      x.assign([3, 4]);
      expect(() => y.backward()).toThrow(expect.objectContaining({ code: "modified-in-place" }));
    });
    expect(held()).toEqual(before);
  });

  it("is free after a long chain, without recursion", () => {
    const before = held();
    const x = leaf([1]);
    let y = t.add(x, 1);
    for (let i = 0; i < 20_000; i++) {
      const next = t.reshape(y, [1]);
      y.dispose();
      y = next;
    }
    y.dispose();
    x.dispose();
    expect(held()).toEqual(before);
  });
});

describe("a tensor that is changed in place between forward and backward", () => {
  const changes: [string, (x: t.Tensor) => void][] = [
    ["assign", (x) => x.assign([5, 6])],
    ["addInto", (x) => t.noGrad(() => t.addInto(x, x.detach(), { begin: [0] }))],
    [
      "an optimiser",
      (x) => {
        x.grad = device.ones([2]);
        new t.optim.SGD([x], { lr: 1 }).step();
      },
    ],
  ];

  it.each(changes)("makes backward throw, after %s", async (_, change) => {
    await device.scope(() => {
      const x = leaf([1, 2]);
      const y = t.sum(t.mul(x, x));
      change(x);
      expect(() => y.backward()).toThrow(
        expect.objectContaining({ code: "modified-in-place", message: expect.stringContaining("mul") }),
      );
    });
  });

  it("is no matter where the gradient does not read it, and after backward", async () => {
    await device.scope(async () => {
      const [x, constant] = [leaf([1, 2]), device.tensor([3, 4])];
      const y = t.sum(t.mul(x, constant));
      x.assign([7, 8]);
      y.backward();
      constant.assign([0, 0]);
      expect(await values(x.grad!)).toEqual([3, 4]);
    });
  });

  it("may be a running statistic", async () => {
    await device.scope(() => {
      const norm = new t.nn.BatchNorm2d(device, 2);
      const x = device.randn([2, 2, 2, 2], { seed: 1, requiresGrad: true });
      const y = t.add(norm.forward(x), norm.forward(x));
      expect(() => t.sum(t.mul(y, y)).backward()).not.toThrow();
    });
  });
});
