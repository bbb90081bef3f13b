import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Chunk, RunSpec } from "../../../../packages/fcn/src/queue/runs/spec.js";
import { cut, MOST_ITEMS } from "../../../../packages/fcn/src/queue/runs/tend.js";

const spec: RunSpec = { kind: "predict", version: "0", created: 0, weights: [], task: {} };
const seconds = fc.array(fc.double({ min: 1e-4, max: 100, noNaN: true }), { maxLength: 5 });

/** The chunks of a whole run whose workers end all that is open between two looks. */
function all(total: number, workers: number, measured: readonly number[], chunk?: number): Chunk[] {
  const chunks: Chunk[] = [];
  const of = chunk === undefined ? spec : { ...spec, chunk };
  while ((chunks.at(-1)?.to ?? 0) < total) {
    const run = { spec: of, total, next: chunks.at(-1)?.to ?? 0, chunks: chunks.length };
    const added = cut(run, { open: 0, workers, seconds: chunks.length === 0 ? [] : measured });
    expect(added.length).toBeGreaterThan(0);
    chunks.push(...added);
  }
  return chunks;
}

describe("the chunks of a run", () => {
  it("hold each item once, in order, and are numbered", () => {
    const cases = fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 0, max: 200 }), seconds);
    fc.assert(
      fc.property(
        cases,
        fc.option(fc.integer({ min: 1, max: 300 }), { nil: undefined }),
        ([total, workers, measured], chunk) => {
          const chunks = all(total, workers, measured, chunk);
          expect(chunks.map(({ k }) => k)).toEqual(chunks.map((_, i) => i));
          expect(chunks.map(({ from }) => from)).toEqual([0, ...chunks.map(({ to }) => to).slice(0, -1)]);
          expect(chunks.at(-1)?.to).toBe(total);
          for (const { from, to } of chunks) expect(to - from).toBeLessThanOrEqual(chunk ?? MOST_ITEMS);
        },
      ),
    );
  });

  it("are single items until a speed is known, then of about ten seconds on the worker in the middle", () => {
    const run = { spec, total: 1e6, next: 0, chunks: 0 };
    const first = cut(run, { open: 0, workers: 3, seconds: [] });
    expect(first.map(({ from, to }) => to - from)).toEqual(new Array(8).fill(1));
    const later = cut({ ...run, next: 8, chunks: 8 }, { open: 0, workers: 3, seconds: [0.1, 50, 0.2] });
    expect(later[0]).toEqual({ k: 8, from: 8, to: 58 });
    expect(cut(run, { open: 0, workers: 3, seconds: [1e-4] })[0]?.to).toBe(MOST_ITEMS);
    expect(cut(run, { open: 0, workers: 3, seconds: [1000] })[0]?.to).toBe(1);
  });

  it("grow smaller towards the end, so that no worker waits for another's last chunk", () => {
    const run = { spec, total: 1000, next: 900, chunks: 5 };
    const last = cut(run, { open: 0, workers: 5, seconds: [0.01] });
    expect(last.length).toBeGreaterThanOrEqual(10);
    expect(Math.max(...last.map(({ from, to }) => to - from))).toBe(10);
  });

  it("are added while few are open, however large the run", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5000 }),
        fc.integer({ min: 1, max: 300 }),
        seconds,
        (open, workers, measured) => {
          const added = cut({ spec, total: 1e9, next: 0, chunks: 0 }, { open, workers, seconds: measured });
          expect(open + added.length).toBeLessThanOrEqual(Math.max(open, 4000));
          // Enough for every worker to have one and find another.
          if (open === 0) expect(added.length).toBeGreaterThanOrEqual(2 * workers);
        },
      ),
    );
  });
});
