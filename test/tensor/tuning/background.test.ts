import type { Capabilities, KernelTile, Plan } from "@fcn/kernels";
import { TensorError, type Tuning } from "@fcn/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TuningResult } from "../../../packages/tensor/src/device/tuner.js";
import { BackgroundTuner, type Workbench } from "../../../packages/tensor/src/tuning/background.js";
import type { Measured } from "../../../packages/tensor/src/tuning/file.js";

type Storages = Parameters<BackgroundTuner["add"]>[3];

const tiles: readonly KernelTile[] = [4, 8, 16].map((TM) => ({ variant: "register", TM, SGN: 1, TV: 1 }));
const [rule, fast] = tiles as [KernelTile, KernelTile];
const caps: Capabilities = { subgroupSize: 0, bindingLimit: 2 ** 20, parallelism: 4 };
/** Milliseconds, as the measurements see them. */
let clock = 0;
/** Milliseconds that a run takes with a tile. */
const TIMES: Readonly<Record<number, number>> = { 4: 12, 8: 3, 16: 12 };

/** A bench without a GPU: a run of a plan takes the time of its tile. */
class Bench implements Workbench {
  readonly capabilities = caps;
  readonly memory = { trim: () => void this.log.push("trim") };
  readonly log: string[] = [];
  live = 0;
  isDestroyed = false;
  /** Milliseconds of all that was run since the last sync. */
  #due = 0;
  fault: (plan: Plan) => Error | undefined = () => undefined;

  allocate(): never {
    this.live++;
    return { release: () => this.live-- } as never;
  }
  run(op: string, plan: Plan): void {
    this.log.push(`${op} ${plan.tunable?.tile.TM}`);
    const error = this.fault(plan);
    if (error && error instanceof TensorError === false) throw error;
    this.#due += TIMES[plan.tunable?.tile.TM as number] as number;
  }
  async warm(plan: Plan): Promise<void> {
    const error = this.fault(plan);
    if (error instanceof TensorError) throw error;
  }
  async sync(): Promise<void> {
    clock += this.#due;
    this.#due = 0;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
}

const planner =
  (key: string) =>
  (capabilities: Capabilities): Plan => {
    const tile = capabilities.tuning?.[key] ?? rule;
    return { steps: [], tunable: { key, tile, candidates: tiles } };
  };
const storages = (bytes: number): Storages => ({ x: { byteLength: bytes } }) as unknown as Storages;

let benches: Bench[] = [];
let kept: TuningResult[] = [];
let told: string[] = [];

function tuner(known: Partial<Measured> = {}, fault: Bench["fault"] = () => undefined, keep?: () => Promise<void>) {
  return new BackgroundTuner({
    known: { tiles: {}, unchanged: [], ...known },
    mostBytes: 1000,
    open: async () => {
      const bench = new Bench();
      bench.fault = fault;
      benches.push(bench);
      return bench;
    },
    keep: keep ?? (async (result) => void kept.push(result)),
    tell: (line) => void told.push(line),
  });
}
const add = (to: BackgroundTuner, key: string, bytes = 16): void =>
  to.add(key, planner(key), planner(key)(caps), storages(bytes));
const turns = async (count = 40): Promise<void> => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};
/** Gives slices until all of the benches are closed. */
async function finish(to: BackgroundTuner): Promise<void> {
  for (let i = 0; i < 500; i++) {
    await turns();
    if (benches.length > 0 && benches.every(({ isDestroyed }) => isDestroyed)) return;
    await to.slice();
  }
  throw new Error("the measurements do not end");
}

beforeEach(() => {
  [benches, kept, told] = [[], [], []];
  vi.spyOn(performance, "now").mockImplementation(() => clock);
});
afterEach(() => void vi.restoreAllMocks());

describe("measuring beside the work", () => {
  it("measures each key once, keeps what it finds, and gives back device and memory", async () => {
    const to = tuner();
    add(to, "a");
    add(to, "b");
    add(to, "a");
    await finish(to);
    expect(kept.map(({ key, tile }) => [key, tile])).toEqual([
      ["a", fast],
      ["b", fast],
    ]);
    expect(kept.every(({ speedup }) => speedup > 2)).toBe(true);
    expect(benches).toHaveLength(1);
    expect([benches[0]?.live, benches[0]?.log.filter((line) => line === "trim").length]).toEqual([0, 2]);
    add(to, "c");
    await turns();
    expect(benches).toHaveLength(2);
    to.end();
  });

  it("runs one tile a slice for as long as a round lasts, and no more before the next slice", async () => {
    const to = tuner();
    add(to, "a");
    await turns();
    const log = () => benches[0]?.log as string[];
    // The first run, in which the driver may be compiling, waits for no slice.
    expect(log()).toEqual(["a 4"]);
    await turns(1000);
    expect(log()).toEqual(["a 4"]);
    for (let slices = 0; log().at(-1) !== "trim"; slices++) {
      const before = log().length;
      await to.slice();
      const ran = log().slice(before);
      await turns();
      const first = log().slice(before + ran.length);
      // A round is of one tile and of 10 ms, or one run; then the next tile may run once.
      expect(new Set(ran).size).toBe(1);
      expect(ran.length).toBeLessThanOrEqual(ran[0] === "a 8" ? 4 : 1);
      expect(first.filter((line) => line !== "trim").length).toBeLessThanOrEqual(1);
      expect(slices).toBeLessThan(40);
    }
  });

  it("has one slice at a time", async () => {
    const to = tuner();
    add(to, "a");
    await turns();
    const done: string[] = [];
    const first = to.slice().then(() => done.push("first"));
    await to.slice().then(() => done.push("second"));
    await first;
    expect(done).toEqual(["second", "first"]);
    to.end();
  });

  it("leaves alone what is known, what has no choice, and what is too large", async () => {
    const to = tuner({ tiles: { a: fast }, unchanged: ["b"] });
    add(to, "a");
    add(to, "b");
    add(to, "large", 1001);
    to.add("one", planner("one"), { steps: [], tunable: { key: "one", tile: rule, candidates: [rule] } }, storages(16));
    to.add("scratch", planner("scratch"), { ...planner("scratch")(caps), scratch: { s: 990 } }, storages(16));
    to.add("none", planner("none"), { steps: [] }, storages(16));
    await turns();
    expect(benches).toEqual([]);
  });

  it("measures again where the known tile is none that the plan may take", async () => {
    const foreign: Tuning = { a: { variant: "subgroup", TM: 32, SGN: 32, TV: 1 } };
    const to = tuner({ tiles: foreign });
    add(to, "a");
    await finish(to);
    expect(kept.map(({ tile }) => tile)).toEqual([fast]);
  });

  it("never takes a tile that does not compile", async () => {
    const refused = new TensorError({ code: "kernel-compile", message: "no registers", fix: "" });
    const to = tuner({}, ({ tunable }) => (tunable?.tile.TM === 8 ? refused : undefined));
    add(to, "a");
    await finish(to);
    expect(kept.map(({ tile, speedup }) => [tile.TM, speedup])).toEqual([[4, 1]]);
    expect(told).toEqual([]);
  });
});

describe("a measurement that fails", () => {
  it("is passed over with one line, and the others go on, on a device of their own", async () => {
    const to = tuner({}, ({ tunable }) => (tunable?.key.startsWith("bad") ? new Error("no memory") : undefined));
    for (const key of ["bad 1", "a", "bad 2"]) add(to, key);
    await finish(to);
    expect(kept.map(({ key }) => key)).toEqual(["a"]);
    expect(told).toEqual(["fcn: a measurement of tiles failed and is passed over: no memory"]);
    expect(benches.map(({ live, isDestroyed }) => [live, isDestroyed])).toEqual(benches.map(() => [0, true]));
    expect(benches.length).toBeGreaterThan(1);
  });

  it("never rejects a slice, nor where the file refuses", async () => {
    const to = tuner({}, undefined, async () => {
      throw new Error("disk full");
    });
    add(to, "a");
    await expect(finish(to)).resolves.toBeUndefined();
    expect(told).toEqual([expect.stringMatching(/disk full$/)]);
  });
});

describe("a device that ends", () => {
  it("ends its measurements, in a slice or out of one, without a word", async () => {
    const to = tuner();
    add(to, "a");
    add(to, "b");
    await turns();
    const slice = to.slice();
    to.end();
    await slice;
    await turns(200);
    await to.slice();
    expect([kept, told]).toEqual([[], []]);
    expect(benches.map(({ isDestroyed }) => isDestroyed)).toEqual([true]);
    add(to, "c");
    await turns();
    expect(benches).toHaveLength(1);
  });

  it("closes a device that is still being opened", async () => {
    const to = tuner();
    add(to, "a");
    to.end();
    await turns();
    expect(benches.map(({ isDestroyed, log }) => [isDestroyed, log])).toEqual([[true, []]]);
  });
});
