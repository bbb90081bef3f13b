import { boxParts, type Capabilities, flatRanges, imageParts, type Range, rowRanges, spanOf } from "@fcn/kernels";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { propertySeed } from "../support/property.js";

const LIMIT = 4096;
const caps: Capabilities = { subgroupSize: 0, bindingLimit: LIMIT, parallelism: 32 };
const int = (min: number, max: number) => fc.integer({ min, max });
const holds = <T>(inputs: fc.Arbitrary<T>, check: (input: T) => void) =>
  fc.assert(fc.property(inputs, check), { seed: propertySeed(), numRuns: 200 });

/** The bytes that a binding of these elements needs, from the aligned place before the first. */
const bindingOf = ({ begin, end }: Range): number => end * 4 - Math.floor((begin * 4) / 256) * 256;

function expectPartition(ranges: readonly Range[], total: number): void {
  let at = 0;
  for (const { begin, end } of ranges) {
    expect(begin).toBe(at);
    expect(end).toBeGreaterThanOrEqual(begin);
    at = end;
  }
  expect(at).toBe(total);
}

describe("ranges", () => {
  it("of rows cover all rows in order, each in one binding, in multiples that were asked for", () =>
    holds(fc.tuple(int(0, 500), int(1, 300), int(1, 9)), ([rows, length, multiple]) => {
      const ranges = rowRanges(rows, length, caps, multiple);
      if (ranges.length === 0) {
        expect(multiple * length * 4 + 256).toBeGreaterThan(LIMIT);
        return;
      }
      expectPartition(ranges, rows);
      for (const range of ranges) {
        expect(bindingOf({ begin: range.begin * length, end: range.end * length })).toBeLessThanOrEqual(LIMIT);
        expect(range.begin % multiple).toBe(0);
      }
    }));

  it("of flat elements begin at aligned places", () =>
    holds(int(0, 10_000), (count) => {
      const ranges = flatRanges(count, caps);
      expectPartition(ranges, count);
      for (const { begin, end } of ranges) {
        expect((begin * 4) % 256).toBe(0);
        expect((end - begin) * 4).toBeLessThanOrEqual(LIMIT);
      }
    }));
});

describe("image parts", () => {
  const sides = fc.record({ rows: int(1, 60), length: int(1, 200) });
  const walks = fc.record({
    n: int(1, 3),
    from: sides,
    to: sides,
    stride: int(1, 4),
    reach: int(0, 9),
    pad: int(0, 5),
  });

  it("write every row once and read the rows that they need", () =>
    holds(walks, ({ n, from, to, stride, reach, pad }) => {
      const top = (step: number) => step * stride - pad;
      const reads = (begin: number, end: number) => ({ begin: top(begin), end: top(end - 1) + reach + 1 });
      const parts = imageParts({ n, steps: to.rows, from, to, reads }, caps);
      if (parts.length === 0) return;
      expectPartition(
        parts.map((part) => part.steps),
        n * to.rows,
      );
      expectPartition(
        parts.map((part) => part.to),
        n * to.rows * to.length,
      );
      for (const part of parts) {
        expect(bindingOf(part.from)).toBeLessThanOrEqual(LIMIT);
        expect(bindingOf(part.to)).toBeLessThanOrEqual(LIMIT);
        if (parts.length === 1) continue;
        const image = Math.floor(part.steps.begin / to.rows);
        for (let step = part.steps.begin; step < part.steps.end; step++) {
          for (let row = top(step % to.rows); row <= top(step % to.rows) + reach; row++) {
            if (row < 0 || row >= from.rows) continue;
            const element = (image * from.rows + row) * from.length;
            expect(element).toBeGreaterThanOrEqual(part.from.begin);
            expect(element + from.length).toBeLessThanOrEqual(part.from.end);
          }
        }
      }
    }));

  it("are none where one row is larger than a binding", () => {
    const side = { rows: 3, length: 2000 };
    const reads = (begin: number, end: number) => ({ begin, end });
    expect(imageParts({ n: 1, steps: 3, from: side, to: side, reads }, caps)).toEqual([]);
  });
});

describe("box parts", () => {
  it("visit every element of the box once, within a binding of each operand", () => {
    const boxes = fc
      .record({
        sizes: fc.array(int(1, 12), { minLength: 1, maxLength: 3 }),
        repeats: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
        offset: int(0, 2000),
      })
      .map(({ sizes, repeats, offset }) => {
        const dense = sizes.map((_, i) => sizes.slice(i + 1).reduce((a, b) => a * b, 1));
        const wide = dense.map((stride, i) => (repeats[i] ? 0 : stride * 3));
        return { sizes, operands: { a: { strides: dense, offset }, b: { strides: wide, offset: 0 } } };
      });
    holds(boxes, (box) => {
      const seen = new Map<number, number>();
      for (const part of boxParts(box, caps)) {
        for (const { strides, offset } of Object.values(part.operands)) {
          const end = offset + spanOf(part.sizes, strides);
          expect(bindingOf({ begin: offset, end })).toBeLessThanOrEqual(LIMIT + 4 * offset);
        }
        visit(part.sizes, part.operands.a!.strides, part.operands.a!.offset, seen);
      }
      expect(seen.size).toBe(box.sizes.reduce((a, b) => a * b, 1));
      expect([...seen.values()].every((count) => count === 1)).toBe(true);
    });
  });

  it("are halves of a dim that reaches far, not of one of a single step with a large stride", () => {
    const parts = boxParts({ sizes: [1, 1800], operands: { a: { strides: [5000, 1], offset: 0 } } }, caps);
    expect(parts.map(({ sizes }) => sizes)).toEqual([
      [1, 900],
      [1, 900],
    ]);
  });
});

function visit(sizes: readonly number[], strides: readonly number[], at: number, seen: Map<number, number>): void {
  const [size, ...rest] = sizes;
  if (size === undefined) return void seen.set(at, (seen.get(at) ?? 0) + 1);
  for (let i = 0; i < size; i++) visit(rest, strides.slice(1), at + i * strides[0]!, seen);
}
