import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { createStageView, type StageView } from "../../../packages/fcn/src/progress/stages.js";

const AT = { loss: 0.5, learningRate: 1, imagesPerSecond: 2, secondsLeft: 65, names: [] };

function lines(use: (view: StageView) => void): string[] {
  const stream = new PassThrough();
  use(createStageView(stream as unknown as NodeJS.WriteStream));
  return String(stream.read()).trimEnd().split("\n");
}

it("names the pass over the images in which a step begins, also where batches span two passes", () => {
  // Ten images in batches of three, twice: seven steps, the fourth of which begins with the tenth image.
  const said = lines((view) => {
    view.start("net", 7, 0, 10 / 3);
    for (let step = 1; step <= 7; step++) view.progress({ ...AT, step, steps: 7 });
  });
  expect(said.slice(1).map((line) => line.match(/epoch \d of \d/)?.[0])).toEqual([
    ...Array(4).fill("epoch 1 of 2"),
    ...Array(3).fill("epoch 2 of 2"),
  ]);
  expect(said[1]).toBe("net: step 1/7, epoch 1 of 2, loss 0.500, 2.0 images/s, 1 min 05 s left");
});

it("leaves epochs out where they are not known", () => {
  const said = lines((view) => {
    view.start("net", 7);
    view.progress({ ...AT, step: 1, steps: 7 });
  });
  expect(said).toEqual(["net: 7 steps", "net: step 1/7, loss 0.500, 2.0 images/s, 1 min 05 s left"]);
});

it("shows mean IU and loss of a validation", () => {
  const said = lines((view) => {
    view.start("net", 7);
    view.validation(3, 0.25, 1.5);
    view.validation(6, 0.5);
  });
  expect(said.slice(1)).toEqual([
    "net: step 3, validation mean IU 0.250, validation loss 1.500",
    "net: step 6, validation mean IU 0.500",
  ]);
});
