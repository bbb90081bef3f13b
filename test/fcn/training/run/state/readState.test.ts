import { describe, expect, it } from "vitest";
import { readConfiguration } from "../../../../../packages/fcn/src/training/run/state/readState.js";

const read = (configuration: object) =>
  readConfiguration("step-000000001.safetensors", { configuration: JSON.stringify(configuration) });

describe("the configuration of a checkpoint", () => {
  it("may call the loss its criterion, and the reduction its loss", () => {
    const told = { loss: "focal", reduction: "mean", steps: 4, precision: "float16" };
    expect(read(told)).toEqual(told);
    expect(read({ criterion: "focal", loss: "mean", steps: 4, precision: "float16" })).toEqual(told);
    expect(read({ steps: 4 })).toEqual({ steps: 4, precision: "float32" });
    expect(read({})).toEqual({ precision: "float32" });
  });

  it("may call accumulation steps iterSize, and images pictures", () => {
    const former = { iterSize: 2, trainingPictures: "4 (1f)", validationPictures: "0 (0)", steps: 4 };
    const told = { accumulationSteps: 2, trainingImages: "4 (1f)", validationImages: "0 (0)", steps: 4 };
    expect(read(former)).toEqual({ ...told, precision: "float32" });
  });
});
