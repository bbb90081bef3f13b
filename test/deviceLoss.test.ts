import { expect, it, vi } from "vitest";
import { globals } from "webgpu";
import { type LossExercise, lossExercise } from "./support/loss-exercise.js";
import { killGpu, onPage, runOn, stepsOn } from "./support/page.js";

function expectLost({ training, pending, later, lost, again }: LossExercise): void {
  const ends = { ...pending, ...later, lost };
  expect(Object.keys(pending)).toEqual(["data", "sync", "uploads"]);
  expect(Object.keys(ends).length).toBeGreaterThan(10);
  for (const [name, end] of Object.entries({ ...ends, training })) expect(end, name).toMatch(/^device-lost: .*gone: ./);
  expect(again).toBe("works: 1,1,1,1");
}

it("in a browser whose GPU process is killed in mid-training every call says device-lost, and a new device works", async () => {
  const got = await onPage(async (page, browser) => {
    const running = runOn<LossExercise>(page, "loss-exercise", "lossExercise");
    await stepsOn(page, 6);
    await killGpu(browser);
    return await running;
  });
  expectLost(got);
});

it("in Node, where someone else destroys the GPUDevice in mid-training, too", async () => {
  const { prototype } = (globals as unknown as { GPUAdapter: { prototype: GPUAdapter } }).GPUAdapter;
  const { requestDevice } = prototype;
  const handles: GPUDevice[] = [];
  vi.spyOn(prototype, "requestDevice").mockImplementation(async function (this: GPUAdapter, descriptor) {
    const handle = await requestDevice.call(this, descriptor);
    handles.push(handle);
    return handle;
  });
  const got = await lossExercise((step) => {
    if (step === 6) handles[0]?.destroy();
  });
  vi.restoreAllMocks();
  expectLost(got);
});
