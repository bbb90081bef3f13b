import { spawn } from "node:child_process";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { planConv2d } from "@fcn/kernels";
import { conv2d, createDevice, type Device, savedTuning, saveTuning, sum, type Tensor } from "@fcn/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../fcn/data/trees.js";
import { geometryOf } from "../../support/convolution.js";

const root = await temporaryFolder("tune-auto");
const built = fileURLToPath(new URL("../../../packages/tensor/dist/index.js", import.meta.url));
let folder = "";
let count = 0;
let lines: string[] = [];
beforeEach(async () => {
  folder = join(root, `${count++}`);
  await mkdir(folder);
  vi.stubEnv("FCN_TUNING", folder);
  lines = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** The keys that the file holds. */
async function keys(): Promise<string[]> {
  const [name] = (await readdir(folder)).filter((file) => file.endsWith(".json"));
  if (name === undefined) return [];
  const { tiles, unchanged } = JSON.parse(await readFile(join(folder, name), "utf8"));
  return [...Object.keys(tiles), ...unchanged].sort();
}

const open = (): Promise<Device> => createDevice({ quiet: true, tune: "auto" });

/** A step of a small net: a convolution and its gradients. */
const stepOn = (device: Device) => (): Promise<Float32Array[]> =>
  device.scope(async () => {
    const x = device.rand([1, 8, 9, 9], { seed: 1 });
    const w = device.rand([8, 8, 3, 3], { seed: 2, requiresGrad: true });
    const y = conv2d(x, w);
    sum(y).backward();
    return [(await y.data()) as Float32Array, (await w.grad!.data()) as Float32Array];
  });

async function until(isDone: () => Promise<boolean>, step: () => Promise<unknown>): Promise<void> {
  while (!(await isDone())) {
    await step();
    // Kernels are compiled meanwhile, on the same cores.
    await sleep(2);
  }
}

describe('createDevice({ tune: "auto" })', () => {
  it("measures beside the work, whose bits and memory stay, and the next device knows", async () => {
    const device = await open();
    const step = stepOn(device);
    const first = await step();
    const before = device.memory();
    await until(async () => (await keys()).length >= 2, step);
    expect(await step()).toEqual(first);
    expect(device.memory()).toEqual(before);
    expect(device.capabilities.tuning).toEqual({});
    device.destroy();
    const measured = await keys();
    expect(measured).toEqual([
      "conv2d forward 3x3 stride 1x1 dilation 1x1 channels 8-8 groups 1 pixels 64",
      "conv2d weight gradient 3x3 stride 1x1 dilation 1x1 channels 8-8 groups 1 pixels 64",
    ]);

    const caps = device.capabilities;
    const plan = planConv2d(geometryOf({ channels: [8, 8], size: [9, 9], kernel: [3, 3] }), "forward", false, caps);
    const tile = plan?.tunable?.candidates.at(-1);
    const found = { [measured[0] as string]: tile! };
    await saveTuning(device.info, found, measured);
    using next = await open();
    expect(next.capabilities.tuning).toEqual(found);
    for (let i = 0; i < 20; i++) await stepOn(next)();
    expect(await savedTuning(next.info)).toEqual(found);
    expect(lines).toEqual([]);
  });

  it("leaves a captured step as it is", async () => {
    using device = await open();
    const x = device.rand([1, 8, 9, 9], { seed: 1 });
    const w = device.rand([8, 8, 3, 3], { seed: 2 });
    const captured = device.capture((input: Tensor) => conv2d(input, w));
    const want = await conv2d(x, w).data();
    const run = () => device.scope(async () => expect(await (await captured(x)).data()).toEqual(want));
    await until(async () => (await keys()).length > 0, run);
    captured.dispose();
  });

  it("works on where nothing can be kept, with one line", async () => {
    vi.stubEnv("FCN_TUNING", "/proc/nowhere");
    using device = await open();
    const step = stepOn(device);
    const first = await step();
    await until(async () => lines.length > 0, step);
    for (let i = 0; i < 40; i++) expect(await step()).toEqual(first);
    expect(lines).toEqual([expect.stringMatching(/^fcn: a measurement of tiles failed and is passed over: .*nowhere/)]);
  });

  it("is off where FCN_TUNING is, and refuses what it does not know", async () => {
    vi.stubEnv("FCN_TUNING", "off");
    using device = await open();
    for (let i = 0; i < 10; i++) await stepOn(device)();
    expect(await readdir(folder)).toEqual([]);
    await expect(createDevice({ tune: "always" as "auto" })).rejects.toMatchObject({
      code: "invalid-argument",
      message: expect.stringContaining("tune"),
    });
  });
});

/** Runs a module with the built package in a process of its own, which must end by itself. */
function run(code: string): Promise<{ code: number | null; out: string; err: string }> {
  const text = `import { conv2d, createDevice, savedTuning } from ${JSON.stringify(built)};\n${code}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", text], { timeout: 90_000 });
  let [out, err] = ["", ""];
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (err += data));
  return new Promise((resolve) => child.on("close", (status) => resolve({ code: status, out, err })));
}

const OPEN = `
  const device = await createDevice({ quiet: true, tune: "auto" });
  const step = (channels) => device.scope(async () => {
    const x = device.rand([1, channels, 9, 9], { seed: 1 });
    await conv2d(x, device.rand([channels, channels, 3, 3], { seed: 2 })).data();
  });
`;

describe("processes that measure", () => {
  it("end at once when the device is destroyed in the middle", async () => {
    const ends = await run(`${OPEN}
      for (let i = 0; i < 6; i++) await step(8 + 4 * i);
      const last = step(8).catch(() => {});
      const late = device.sync().catch(() => {});
      device.destroy();
      await Promise.all([last, late]);
      console.log("end");
    `);
    expect(ends).toMatchObject({ code: 0, out: "end\n" });
    expect(ends.err).not.toContain("fcn:");
  });

  it("at the same time lose nothing of each other", async () => {
    const work = (from: number) =>
      run(`${OPEN}
        import { readFileSync, readdirSync } from "node:fs";
        const folder = process.env.FCN_TUNING;
        const done = () => readdirSync(folder).filter((name) => name.endsWith(".json")).flatMap((name) => {
          const { tiles, unchanged } = JSON.parse(readFileSync(folder + "/" + name, "utf8"));
          return [...Object.keys(tiles), ...unchanged];
        });
        const all = [0, 4, 8].map((more) => ${from} + more);
        while (!all.every((n) => done().some((key) => key.includes("channels " + n + "-" + n)))) {
          for (const n of all) await step(n);
        }
        device.destroy();
      `);
    const ends = await Promise.all([work(8), work(20)]);
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    expect(await keys()).toHaveLength(6);
    expect((await readdir(folder)).length).toBe(1);
  });
});
