import { parseKernel, planConv2d, planCopy, planHalf, planMaxPool2d, specialize } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { geometryOf } from "../support/convolution.js";
import { largeDevice, smallDevice, soundSteps } from "../support/plans.js";

const g = geometryOf({ n: 2, channels: [8, 8], size: [24, 9], kernel: [3, 3], padding: [1, 1] });
const planner = (caps: typeof largeDevice) => planConv2d(g, "forward", true, caps);

describe("a plan with operands of float16", () => {
  it("is the plan itself where there are none", () => {
    expect(planHalf(planner, [], largeDevice)).toEqual(planner(largeDevice));
  });

  it("names the bindings that hold halves: those of the operands, and no stand-ins or scratch memory", () => {
    const plan = planHalf(planner, ["x", "y"], largeDevice)!;
    const last = plan.steps.at(-1)!;
    expect(last.half).toEqual(["x4", "y4"]);
    expect(plan.scratch).toEqual(planner(largeDevice)!.scratch);
    for (const { operands, half } of plan.steps) {
      const halves = Object.keys(operands).filter((name) => ["x", "y"].includes(operands[name] as string));
      expect(half ?? []).toEqual(halves);
    }
  });

  it("binds parts at half their offsets, and whole words", () => {
    const floats = soundSteps(planner(smallDevice), smallDevice);
    const halves = planHalf(planner, ["x", "y"], smallDevice)!.steps;
    let parts = 0;
    for (const [i, step] of halves.entries()) {
      for (const [name, use] of Object.entries(step.operands)) {
        const before = floats[i]!.operands[name]!;
        if (!step.half?.includes(name)) {
          expect(use).toEqual(before);
          continue;
        }
        if (typeof use === "string" || !("operand" in use)) continue;
        if (typeof before === "string" || !("operand" in before)) throw new Error("a part was not a part");
        parts++;
        expect(use.byteOffset).toBe(before.byteOffset / 2);
        expect(use.byteLength - before.byteLength / 2).toBeLessThan(4);
        expect(use.byteLength % 4).toBe(0);
        expect(use.byteLength).toBeGreaterThanOrEqual(before.byteLength / 2);
      }
      expect(step.params).toEqual(floats[i]!.params);
      expect(step.grid).toEqual(floats[i]!.grid);
    }
    expect(parts).toBeGreaterThan(4);
    const [odd] = planHalf(
      (caps) => planCopy({ sizes: [3], from: [1], to: [1] }, caps),
      ["src", "dst"],
      largeDevice,
    )!.steps;
    expect(odd!.operands.src).toEqual({ operand: "src", byteOffset: 0, byteLength: 8 });
  });

  it("has tiles of its own", () => {
    const own = planner(largeDevice)!.tunable!;
    const half = planHalf(planner, ["x", "y"], largeDevice)!.tunable!;
    expect(half.key).toBe(`${own.key} float16`);
    expect(half.candidates).toEqual(own.candidates);
    const other = own.candidates.find((tile) => tile !== own.tile)!;
    const tuned = (key: string) =>
      planHalf(planner, ["x", "y"], { ...largeDevice, tuning: { [key]: other } })!.tunable!.tile;
    expect(tuned(half.key)).toEqual(other);
    expect(tuned(own.key)).toEqual(own.tile);
    expect(planner({ ...largeDevice, tuning: { [half.key]: other } })!.tunable!.tile).toEqual(own.tile);
  });

  it("stays undefined where nothing can be planned", () => {
    expect(planHalf(() => undefined, ["x"], largeDevice)).toBeUndefined();
  });
});

describe("the text of a kernel with halves", () => {
  const pool = planHalf(
    (caps) =>
      planMaxPool2d(
        {
          ...{ n: 1, channels: 3, inH: 4, inW: 4, outH: 2, outW: 2, kernelH: 2, kernelW: 2, strideH: 2, strideW: 2 },
          ...{ padH: 0, padW: 0, dilationH: 1, dilationW: 1 },
        },
        true,
        caps,
      ),
    ["x", "y"],
    largeDevice,
  )!.steps[0]!;

  it("changes the types that its bindings name and nothing else", () => {
    const info = parseKernel(pool.kernel);
    const floats = specialize(info, pool.constants ?? {});
    const halves = specialize(info, pool.constants ?? {}, 0, pool.half);
    expect(pool.half).toEqual(["x", "y"]);
    expect(halves.startsWith("enable f16;\n")).toBe(true);
    const changed = halves.replace("enable f16;\n", "").split("\n");
    const lines = floats.split("\n");
    expect(changed.filter((line, i) => line !== lines[i])).toEqual(["alias X = f16;", "alias Y = f16;"]);
    expect(specialize(info, {}, 0, ["x4"])).toContain("alias X4 = vec4h;");
  });

  it("is refused where a binding has a type that cannot be halves", () => {
    const info = parseKernel(pool.kernel);
    expect(() => specialize(info, {}, 0, ["index"])).toThrow("kernel pool/max: elements of type i32 cannot be halves");
  });
});
