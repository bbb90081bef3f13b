import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { propertySeed } from "../support/property.js";
import { judge, makeInput } from "./input.js";
import { TARGETS } from "./targets/index.js";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "fuzz-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Inputs of a target here, by its part of a million: readers of bytes are fast, folders and nets are not. */
const inputsOf = (runs: number): number => (runs >= 70_000 ? 400 : runs >= 10_000 ? 60 : 20);

describe("readers of files that were changed", () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))("%s: reads or refuses", async (name, target) => {
    await mkdir(join(scratch, name));
    const open = await target.open(join(scratch, name));
    for (const [seed, { bytes, name: file }] of open.seeds.entries()) {
      const outcome = await judge(open, { bytes, seed });
      expect(outcome, file).toMatch(/\S/);
    }
    const total = inputsOf(target.runs);
    const outcomes = new Set<string>();
    for (let index = 0; index < total; index++) {
      const input = makeInput(`${propertySeed()}/${name}`, index, total, open.seeds, []);
      const outcome = await judge(open, input).catch((finding: Error) => {
        const data = Buffer.from(input.bytes).toString("base64");
        throw new Error(`${finding.message}\n  input ${index}, from seed ${input.seed}: ${data}`, { cause: finding });
      });
      outcomes.add(outcome);
    }
    // Readers that refuse all of it, or take all of it, have not been tried.
    expect(outcomes.size).toBeGreaterThan(3);
  });
});
