import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allReduceTable, ringBytes } from "../../scripts/lib/all-reduce.mjs";
import { capacityTable, jobsRecord, jobsTable, measuredTable, queueRecord } from "../../scripts/lib/queue-capacity.mjs";

const page = readFileSync(join(import.meta.dirname, "../../docs/queue.md"), "utf8");

/** Tables without what aligns their columns. */
const plain = (text: string): string => text.replaceAll(/ *\| */g, "|").replaceAll(/-{3,}/g, "---");

/** A figure in a row of a table, without its unit. */
const figure = (table: string, row: RegExp, column: number): number => {
  const line = table.split("\n").find((each) => row.test(each)) ?? "";
  return Number(/[\d.,]+/.exec(line.split("|")[column] ?? "")?.[0].replaceAll(",", ""));
};

describe("the page on queues", () => {
  it("shows what scripts/all-reduce.mjs prints", () => {
    expect(plain(page)).toContain(plain(allReduceTable({ teraflops: 20, machines: 8 })));
  });

  it("shows what scripts/queue-capacity.mjs prints", () => {
    const record = queueRecord();
    expect(plain(page)).toContain(plain(measuredTable(record)));
    expect(plain(page)).toContain(plain(jobsTable(jobsRecord())));
    const asked = { images: 1e9, workers: 100, perSecond: 50, input: 5e5, output: 2e4 };
    expect(plain(page)).toContain(plain(capacityTable(asked, record)));
  });

  it("names each variable that hands over a secret, and each file of the deployment", () => {
    for (const name of ["PASSWORD", "USERNAME", "CA", "CERT", "KEY"]) expect(page).toContain(`FCN_QUEUE_${name}`);
    for (const file of ["valkey.conf", "worker.sh", "fcn-worker.service"])
      expect(page).toContain(`deploy/machines/${file}`);
    for (const file of ["queue.yaml", "workers.yaml", "predict.yaml"])
      expect(page).toContain(`deploy/kubernetes/${file}`);
  });
});

describe("the figures", () => {
  it("of an all-reduce: each of n machines passes on n - 1 parts of n, twice", () => {
    const [machines, bytes] = [8, 800];
    let sent = 0;
    for (let pass = 0; pass < 2; pass++) for (let step = 1; step < machines; step++) sent += bytes / machines;
    expect(ringBytes(bytes, machines)).toBe(sent);
    expect(ringBytes(bytes, 1)).toBe(0);
    const rows = allReduceTable({ teraflops: 20, machines: 2 })
      .split("\n")
      .filter((row) => row.includes("vgg16"));
    // 134 million parameters of four bytes, all of which each of two machines sends.
    expect(figure(rows.join("\n"), /10 Gbit/, 6)).toBeCloseTo(430, -1);
  });

  it("of a capacity: memory goes by the workers, time by both", () => {
    const record = { many: { bytesPerOpen: 1000, hostMs: 5, aloneMs: 1 } };
    const table = (images: number, workers: number): string =>
      capacityTable({ images, workers, perSecond: 50, input: 5e5, output: 2e4 }, record);
    const [some, more, wide] = [table(1e8, 10), table(1e9, 10), table(1e9, 20)];
    expect(figure(some, /memory/, 2)).toBe(figure(more, /memory/, 2));
    expect(figure(wide, /memory/, 2)).toBeGreaterThan(figure(more, /memory/, 2));
    expect(figure(more, /time/, 2)).toBeCloseTo(1e9 / 500 / 86_400, 0);
    expect(figure(wide, /^\| read/, 3)).toBeCloseTo((20 * 50 * 5e5 * 8) / 1e9);
    // A job's four milliseconds, for one chunk of 500 images in ten seconds.
    expect(figure(more, /processor/, 2)).toBeCloseTo(0.4);
  });
});
