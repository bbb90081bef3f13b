import { type Capabilities, type Conv2dGeometry, planConv2d, planConv2dWeightGradient } from "@fcn/kernels";
import { describe, expect, it } from "vitest";
import { largeDevice, outline, soundSteps } from "../../support/plans.js";

const caps: Capabilities = { ...largeDevice, variants: ["winograd", "register"] };
const g: Conv2dGeometry = {
  ...{ n: 4, inC: 32, inH: 9, inW: 10, outC: 64, outH: 9, outW: 10, kernelH: 3, kernelW: 3, groups: 1 },
  ...{ strideH: 1, strideW: 1, padH: 1, padW: 1, dilationH: 1, dilationW: 1 },
};
const plan = (o: Partial<Conv2dGeometry> = {}, own = caps) => planConv2d({ ...g, ...o }, "forward", false, own)!;
const variantOf = (o: Partial<Conv2dGeometry>, own = caps) => plan(o, own).tunable!.tile.variant;
const bytes = (...sizes: number[]) => sizes.reduce((a, b) => a * b, 4);

describe("the plan of a convolution by minimal filtering", () => {
  it("transforms the weight and the image, multiplies the factors, and transforms back", () => {
    const [weight, image, product, back, ...rest] = soundSteps(plan(), caps).map(outline);
    expect(rest).toEqual([]);
    expect(weight).toMatchObject({ SIZE: 4, ADJOINT: false, FLIPPED: false, rows: 32, columns: 64, count: 32 * 16 });
    // Three rows of three tiles of 4 x 4 cover 9 x 10.
    const tiles = { tilesH: 3, tilesW: 3, tileBegin: 0 };
    expect(image).toMatchObject({
      kernel: "conv2d/winograd-image",
      SIZE: 4,
      ...tiles,
      count: 4 * 9 * 8,
      padH: 1,
      padW: 1,
    });
    expect(product).toMatchObject({ kernel: "conv2d/gather-register", cin: 32, cout: 64, inC: 36 * 32, outC: 36 * 64 });
    expect(product?.operands).toMatchObject({ x4: "v", w: "u", y4: "m" });
    expect(back).toMatchObject({ kernel: "conv2d/winograd-tiles", ...tiles, count: 4 * 9 * 16, outH: 9, outW: 10 });
    expect(plan().scratch).toEqual({ u: bytes(36, 32, 64), v: bytes(36, 36, 32), m: bytes(36, 36, 64) });
  });

  it("flips the weight for the input gradient, whose padding is what is left of two", () => {
    const [weight, image] = soundSteps(
      planConv2d({ ...g, n: 5, padH: 0, outH: 7 }, "transposed", true, caps),
      caps,
    ).map(outline);
    expect(weight).toMatchObject({ FLIPPED: true, rows: 64, columns: 32 });
    expect(image).toMatchObject({ inH: 7, inW: 10, padH: 2, padW: 1 });
  });

  it("takes rows of tiles in turn so that 8 MiB lie between", () => {
    const { steps, scratch } = plan({ n: 1, inH: 400, inW: 400, outH: 400, outW: 400 });
    // A row of 100 tiles of 64 channels takes 900 KiB.
    const images = steps.filter(({ kernel }) => kernel.name === "conv2d/winograd-image");
    expect(images.map(({ params }) => params.tileBegin)).toEqual([...Array(12).keys()].map((i) => i * 900));
    expect(images.map(({ params }) => params.count)).toEqual([...Array(11).fill(900 * 8), 100 * 8]);
    expect(scratch).toMatchObject({ v: bytes(900, 36, 32), m: bytes(900, 36, 64) });
  });

  it("serves plain 3x3 convolutions of 32 channels and 320 pixels or more", () => {
    expect(variantOf({})).toBe("winograd");
    const others: Partial<Conv2dGeometry>[] = [
      ...[
        { strideH: 2, outH: 5 },
        { strideW: 2, outW: 5 },
        { dilationH: 2, outH: 7 },
        { dilationW: 2, outW: 8 },
      ],
      ...[{ kernelH: 5, padH: 2 }, { kernelW: 1, padW: 0 }, { groups: 2 }, { inC: 28 }, { outC: 28 }, { inC: 34 }],
      ...[{ outC: 66 }, { n: 1, inH: 11, outH: 11, inW: 29, outW: 29 }],
    ];
    for (const other of others) expect(variantOf(other), JSON.stringify(other)).toBe("register");
    expect(variantOf({ n: 1, inH: 16, outH: 16, inW: 20, outW: 20 })).toBe("winograd");
  });

  it("needs the image, the result and the factors of the weight to fit a binding", () => {
    const limit = (bindingLimit: number) => ({ ...caps, bindingLimit });
    expect(variantOf({}, limit(bytes(36, 32, 64)))).toBe("winograd");
    expect(plan({}, limit(bytes(36, 32, 64) - 16)).tunable?.candidates[0]).toMatchObject({
      variant: "winograd",
      TM: 2,
    });
    expect(variantOf({}, limit(bytes(16, 32, 64) - 16))).toBe("register");
    const wide = { n: 4, inH: 40, outH: 40, inW: 40, outW: 40 };
    expect(variantOf(wide, limit(bytes(4, 64, 1600)))).toBe("winograd");
    expect(variantOf(wide, limit(bytes(4, 64, 1600) - 16))).toBe("register");
  });
});

describe("the plan of a weight gradient by minimal filtering", () => {
  it("multiplies the transformed image by the transformed gradient, and transforms back", () => {
    const gradient = planConv2dWeightGradient(g, caps)!;
    const steps = soundSteps(gradient, caps).map(outline);
    expect(steps.map(({ kernel }) => kernel)).toEqual([
      ...["conv2d/winograd-image", "conv2d/winograd-image", "conv2d/weight-gradient-register"],
      "conv2d/winograd-weight",
    ]);
    expect(steps[0]).toMatchObject({ ADJOINT: false, padH: 1, channels: 8, operands: { x: "x", v: "v" } });
    expect(steps[1]).toMatchObject({ ADJOINT: true, padH: 0, channels: 16, operands: { x: "dy", v: "m" } });
    expect(steps[3]).toMatchObject({ ADJOINT: true, rows: 32, columns: 64, operands: { w: "dw", u: "u" } });
    expect(gradient.scratch).toMatchObject({ u: bytes(36, 32, 64), v: bytes(36, 36, 32), m: bytes(36, 36, 64) });
  });

  it("serves images whose transform fits 32 MiB", () => {
    const sized = (side: number) =>
      planConv2dWeightGradient({ ...g, n: 1, inH: side, inW: side, outH: side, outW: side }, caps)!.tunable!.tile;
    expect(sized(240)).toMatchObject({ variant: "winograd", TM: 4 });
    expect(sized(244)).toMatchObject({ variant: "register" });
  });
});
