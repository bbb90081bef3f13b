import type { models } from "@fcn/core";
import { createDevice, type Device, noGrad, slice, type Tensor } from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { outputSize } from "../../../../../packages/fcn/src/models/graph/geometry/sizes.js";
import {
  kindOf,
  LAYER_KINDS,
  type LayerKind,
  type LayerOf,
} from "../../../../../packages/fcn/src/models/graph/kinds/index.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

const window = { kernelSize: [3, 2], stride: [2, 1], padding: [1, 0] } as const;
const uneven = [
  [1, 2],
  [0, 3],
] as const;

/** Layers of each kind for an input of 4 channels; more inputs are given where the kind takes them. */
const LAYERS: { readonly [K in LayerKind]: readonly LayerOf<K>[] } = {
  input: [{ kind: "input", channels: 4 }],
  conv: [
    { kind: "conv", outChannels: 6, ...window, dilation: [1, 2] },
    { kind: "conv", outChannels: 6, kernelSize: 3, groups: 2, bias: false, padding: uneven },
    { kind: "conv", outChannels: 2, kernelSize: [4, 3], stride: [3, 2], padding: "same" },
  ],
  convTranspose: [
    { kind: "convTranspose", outChannels: 4, groups: 4, kernelSize: 4, stride: 2, padding: 1 },
    {
      kind: "convTranspose",
      outChannels: 4,
      kernelSize: 3,
      stride: [2, 3],
      dilation: [1, 2],
      learned: true,
      bias: true,
    },
    { kind: "convTranspose", outChannels: 6, groups: 2, init: "default", ...window, dilation: [2, 1] },
  ],
  maxPool: [
    { kind: "maxPool", ...window, dilation: 2 },
    { kind: "maxPool", kernelSize: 3, stride: 2, ceilMode: true },
    { kind: "maxPool", kernelSize: 2, stride: 3, padding: "same" },
  ],
  avgPool: [
    { kind: "avgPool", ...window },
    { kind: "avgPool", kernelSize: 3, stride: 2, ceilMode: true, countIncludePad: false },
  ],
  globalPool: [{ kind: "globalPool" }],
  batchNorm: [{ kind: "batchNorm" }],
  groupNorm: [{ kind: "groupNorm", groups: 2 }],
  lrn: [{ kind: "lrn", size: 3, alpha: 1e-4, beta: 0.75 }],
  relu: [{ kind: "relu" }],
  relu6: [{ kind: "relu6" }],
  hardswish: [{ kind: "hardswish" }],
  hardsigmoid: [{ kind: "hardsigmoid" }],
  sigmoid: [{ kind: "sigmoid" }],
  dropout: [
    { kind: "dropout", p: 0.5 },
    { kind: "dropout", p: 0.5, channelwise: true },
  ],
  scale: [{ kind: "scale", factor: 0.5 }],
  add: [{ kind: "add" }],
  max: [{ kind: "max" }],
  gate: [{ kind: "gate" }],
  concat: [{ kind: "concat" }],
  slice: [{ kind: "slice", start: 1, end: 3 }],
  pad: [{ kind: "pad", padding: uneven }],
  resize: [
    { kind: "resize", mode: "nearest", scaleFactor: 3 },
    { kind: "resize", mode: "bilinear" },
  ],
  crop: [{ kind: "crop", align: "topLeft" }],
};

const CASES = LAYER_KINDS.flatMap((kind) => LAYERS[kind].map((layer, i) => [`${kind} ${i + 1}`, layer] as const));

/** The size of a second input, by where it lies. */
const SECOND = { alongside: [7, 9], reference: [5, 4], everywhere: [1, 1] } as const;

/** A layer with the inputs that it takes, of 4 channels. */
function laidOut(layer: models.Layer) {
  const kind = kindOf(layer);
  const [fewest, most] = kind.inputs;
  const count = "scaleFactor" in layer ? fewest : Math.max(1, Math.min(most, 2));
  const planes = Array.from({ length: count }, (_, i) => (i > 0 ? SECOND[kind.others] : [7, 9]));
  const sizeAlong = (axis: 0 | 1): number =>
    outputSize(
      layer,
      axis,
      planes.map((plane) => plane[axis] as number),
    );
  return {
    kind,
    channels: planes.map(() => 4),
    size: [sizeAlong(0), sizeAlong(1)] as const,
    module: kind.build?.(layer, { device, seed: 1, inChannels: 4 })?.eval(),
    inputs: planes.map(([h, w], seed) => device.rand([2, 4, h!, w!], { seed })),
  };
}

describe("a kind of layer", () => {
  it.each(CASES)("tells its output and its parameters as they are: %s", async (_, layer) => {
    await device.scope(async () => {
      const { kind, channels, size, module, inputs } = laidOut(layer);
      expect(kind.fault?.(layer, channels)).toBeUndefined();
      const own = Object.entries(module?.stateDict() ?? {}).map(([name, { shape }]) => [name, shape]);
      expect(kind.parameters(layer, 4)).toEqual(Object.fromEntries(own));
      const y = noGrad(() => kind.run(layer, { x: inputs[0]!, inputs, module, offset: [0, 0] }));
      expect(y.shape).toEqual([2, kind.channels(layer, channels), ...size]);
      expect((await y.data()).every(Number.isFinite)).toBe(true);
    });
  });

  it.each(CASES.filter(([, layer]) => !kindOf(layer).isGlobal))("reads where it says: %s", async (_, layer) => {
    await device.scope(async () => {
      const { kind, size, module, inputs } = laidOut(layer);
      const [x] = inputs as [Tensor];
      const [from, to] = [x.shape[2]!, size[0]];
      const taps = kind.taps?.(layer, { axis: 0, from, to, offset: 0 }) ?? ((place) => [place, place] as const);
      const map = kind.map(layer, 0, from);
      for (const row of new Set([0, Math.floor(to / 2), to - 1])) {
        const [first, last] = taps(row);
        expect(last - first).toBeLessThan(kind.width(layer, 0));
        if (map !== "reference") {
          const centre = ((row - map.shift.num / map.shift.den) * map.scale.den) / map.scale.num;
          expect(Math.abs(centre - (first + last) / 2)).toBeLessThanOrEqual(0.5);
        }
        using input = x.detach();
        input.requiresGrad = true;
        const y = kind.run(layer, { x: input, inputs: [input, ...inputs.slice(1)], module, offset: [0, 0] });
        const part = slice(y, [undefined, undefined, [row, row + 1]]);
        part.backward(device.ones(part.shape));
        const grad = await input.grad!.data();
        const width = x.shape[3]!;
        const rows = Array.from(grad.keys())
          .filter((i) => grad[i] !== 0)
          .map((i) => Math.floor(i / width) % from);
        // A row of the padding, or between the pixels that a transposed convolution spreads, reads nothing; where the
        // kernel is dilated, rows between its places read nothing either.
        const readsNothing = first > last || last < 0 || first >= from;
        const mayReadNothing = layer.kind === "convTranspose" && layer.dilation !== undefined;
        if (readsNothing || !mayReadNothing) expect(rows.length === 0).toBe(readsNothing);
        expect(rows.every((read) => read >= first && read <= last)).toBe(true);
      }
    });
  });
});
