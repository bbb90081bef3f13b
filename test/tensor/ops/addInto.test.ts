import * as t from "@fcn/tensor";
import { tensorStoredIn } from "@fcn/tensor/internal";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atOr, build, random } from "../../support/nd.js";
import { orderOf } from "../../support/orders.js";
import { assertProperty } from "../../support/property.js";

const LIMIT = 2048;
let whole: t.Device;
let limited: t.Device;
beforeAll(async () => {
  whole = await t.createDevice({ quiet: true, debug: { poison: true } });
  limited = await t.createDevice({ quiet: true, bindingLimit: LIMIT });
});
afterAll(() => {
  whole?.destroy();
  limited?.destroy();
});

const int = (min: number, max: number) => fc.integer({ min, max });

describe("addInto", () => {
  it("adds boxes at any place, in any layout, also over bindings that show a part", () =>
    assertProperty(
      fc.record({
        box: fc.tuple(int(1, 2), int(1, 4), int(1, 9), int(1, 9)),
        begin: fc.tuple(int(0, 1), int(0, 2), int(0, 5), int(0, 5)),
        orders: fc.tuple(orderOf(4), orderOf(4)),
        seed: int(0, 1e6),
      }),
      12,
      async ({ box, begin, orders, seed }) => {
        const shape = box.map((n, i) => n + begin[i]! + 3);
        const [base, x] = [random(shape, seed), random(box, seed + 1)];
        const expected = build(shape, (i) =>
          Math.fround(
            atOr(base, i, 0) +
              atOr(
                x,
                i.map((v, d) => v - begin[d]!),
                0,
              ),
          ),
        );
        for (const device of [whole, limited]) {
          const found = await device.scope(() => {
            const target = tensorStoredIn(orders[0], device, base.data, shape);
            t.addInto(target, tensorStoredIn(orders[1], device, x.data, box), { begin });
            return target.data();
          });
          expect(Array.from(found)).toEqual(Array.from(expected.data));
        }
      },
    ));

  it("refuses boxes that stick out and operands that want gradients", async () => {
    await whole.scope(() => {
      const target = whole.zeros([2, 3]);
      const x = whole.ones([1, 2]);
      expect(() => t.addInto(target, x, { begin: [0, 2] })).toThrow(/x \[1, 2\] at \[0, 2\] does not lie inside/);
      expect(() => t.addInto(target, x, { begin: [0] })).toThrow(/one start a dimension|does not lie/);
      const leaf = whole.ones([1, 2], { requiresGrad: true });
      expect(() => t.addInto(target, leaf, { begin: [0, 0] })).toThrow(/in place has no gradient/);
      t.noGrad(() => t.addInto(target, leaf, { begin: [0, 0] }));
    });
  });
});
