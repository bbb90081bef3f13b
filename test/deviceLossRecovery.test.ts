import { data, models, train } from "@fcn/core";
import { createDevice, TensorError } from "@fcn/tensor";
import { expect, it, vi } from "vitest";
import { globals } from "webgpu";
import { killGpu, onPage, runOn, stepsOn } from "./support/page.js";
import { type RecoverExercise, recoverExercise } from "./support/recover-exercise.js";

const { GPUAdapter: adapters, GPUDevice: devices } = globals as unknown as {
  GPUAdapter: { prototype: GPUAdapter };
  GPUDevice: { prototype: GPUDevice };
};

function expectRecovered(got: RecoverExercise): void {
  expect(got.differs).toEqual([]);
  expect(got.trained).toContain("conv.weight");
  expect(got.trained.length).toBeGreaterThan(6);
  expect(got.losses.got).toEqual(got.losses.want);
  expect(got.losses.got).toHaveLength(3);
  expect(got.recoveries).toEqual(["device-lost 0 1", "device-lost 8 1"]);
  expect(got.checkpoints).toEqual([4, 8, 12]);
  expect(got.live).toBe(0);
  expect(got.continued).toEqual([]);
  expect(got.loaded).toEqual([]);
  expect([got.givenUp, got.opened]).toEqual(["device-lost", 3]);
}

it("in Node, a training goes on through the loss of devices to the same bits", async () => {
  expectRecovered(await recoverExercise(adapters.prototype));
});

it("in a browser too", async () => {
  expectRecovered(await onPage((page) => runOn<RecoverExercise>(page, "recover-exercise", "recoverOnPage")));
});

it("a page whose GPU process is killed goes on training, and drawing on its canvas", async () => {
  const got = await onPage(async (page, browser) => {
    type Drawn = { recoveries: number; steps: number; shown: number[] };
    const running = runOn<Drawn>(page, "recover-exercise", "drawWhileTraining");
    await stepsOn(page, 6);
    await killGpu(browser);
    await page.evaluate("globalThis.step = 0");
    await stepsOn(page, 8);
    await page.evaluate("globalThis.enough = globalThis.step + 2");
    return await running;
  });
  expect(got.recoveries).toBe(1);
  expect(got.steps).toBeGreaterThan(8);
  expect(got.shown.reduce((a, b) => a + b, 0)).toBe(32 * 32);
});

it("a step that finds no memory says what to lower, and a smaller one goes on", async () => {
  using device = await createDevice({ quiet: true });
  const model = models.create("fcn8s-small", device, { numClasses: 2, widthMultiplier: 1 / 4, seed: 1 });
  const size = 128 * 160;
  const image = { data: new Uint8Array(3 * size), height: 128, width: 160, channels: 3 };
  const labels = Uint8Array.from({ length: size }, (_, i) => i % 2);
  const settings = {
    model,
    data: [{ name: "black", image, labels }],
    preprocessing: data.IMAGENET_MEAN,
    numClasses: 2,
  };
  const run = (batchSize: number) => train({ ...settings, batchSize, steps: 2, learningRate: 0.01, readEvery: 1 });
  const { createBuffer } = devices.prototype;
  // A size above the limit of the driver, in place of large ones.
  vi.spyOn(devices.prototype, "createBuffer").mockImplementation(function (this: GPUDevice, descriptor) {
    return createBuffer.call(this, descriptor.size >= 2 ** 21 ? { ...descriptor, size: 2 ** 32 - 1 } : descriptor);
  });
  try {
    const error = await run(8).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TensorError);
    expect(error).toMatchObject({
      code: "out-of-memory",
      message: expect.stringMatching(
        /^train: step 1, with a batch of 8 images of 128x160: .*could not allocate .* MiB/,
      ),
      fix: expect.stringMatching(/^lower batchSize \(it is 8; .*\) or crop the images to less than 128x160/),
      commandFix: undefined,
    });
    expect((await run(1)).losses).toHaveLength(2);
  } finally {
    vi.restoreAllMocks();
  }
});
