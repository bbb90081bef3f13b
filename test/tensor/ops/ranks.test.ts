import { PARAMS_BYTES, type PointwiseName, parseKernel, planStrided, pointwise } from "@fcn/kernels";
import * as reference from "@fcn/kernels/reference";
import * as t from "@fcn/tensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { at, build, type Nd, random } from "../../support/nd.js";

let device: t.Device;
beforeAll(async () => {
  device = await t.createDevice({ quiet: true, debug: { poison: true } });
});
afterAll(() => device?.destroy());

/** The largest rank, with neighbours that never merge once every second dimension is treated otherwise. */
const SHAPE = [2, 3, 2, 2, 3, 2, 2, 3];
const REVERSED = [7, 6, 5, 4, 3, 2, 1, 0];
const EVEN = [0, 2, 4, 6];
const x = random(SHAPE, 1);
const permuted = (a: Nd, dims: readonly number[]): Nd =>
  build(
    dims.map((d) => a.shape[d]!),
    (i) =>
      at(
        a,
        dims.map((_, d) => i[dims.indexOf(d)]!),
      ),
  );

describe("a tensor of eight dimensions", () => {
  const check = (run: (x: t.Tensor) => t.Tensor, expected: (x: Nd) => Nd) =>
    gradCheck(device, { inputs: [x], seed: 1, run, reference: expected });

  it("is read in any order", async () => {
    const y = device.tensor(x.data, SHAPE).permute(REVERSED);
    expect([...(await y.data())]).toEqual([...permuted(x, REVERSED).data]);
  });

  it("is reshaped after a permutation, with its gradient", () =>
    check(
      (a) => a.permute(REVERSED).reshape([6, -1]),
      (a) => ({ shape: [6, 144], data: permuted(a, REVERSED).data }),
    ));

  it.each([EVEN, [1, 3, 5, 7]])("is summed over every second dimension: %i %i %i %i", (...dims) =>
    check(
      (a) => t.sum(a, { dim: dims }),
      (a) => reference.reduce(a, dims, false, (values) => values.reduce((p, q) => p + q, 0)),
    ),
  );

  it("has maxima over every second dimension", () =>
    check(
      (a) => t.max(a, { dim: EVEN, keepdim: true }),
      (a) => reference.reduce(a, EVEN, true, (values) => Math.max(...values)),
    ));

  it("broadcasts along every second dimension", () => {
    const shape = SHAPE.map((n, d) => (EVEN.includes(d) ? 1 : n));
    return gradCheck(device, {
      inputs: [x, random(shape, 2)],
      seed: 3,
      run: t.mul,
      reference: (a, b) => build(SHAPE, (i) => at(a, i) * at(b, i)),
    });
  });

  it.each([
    ["every second one broadcast", [2, 1, 2, 1, 2, 1], [1, 2, 1, 2, 1, 2]],
    ["the outermost two broadcast", [1, 1, 2, 1, 2, 2], [2, 2, 1, 2, 1, 2]],
  ])("is multiplied as matrices, with six batch dimensions, %s", (_, own, other) =>
    gradCheck(device, {
      inputs: [random([...own, 2, 3], 4), random([...other, 3, 2], 5)],
      seed: 6,
      run: t.matmul,
      reference: (a, b) => reference.matmul(a, b, [2, 2, 2, 2, 2, 2, 2, 2]),
    }),
  );
});

it("every pointwise kernel of eight dimensions that do not merge has room for its parameters", () => {
  const caps = { subgroupSize: 0, bindingLimit: 2 ** 20, parallelism: 32 };
  const strides = [1, 3, 9, 27, 81, 243, 729, 2187];
  for (const [name, row] of Object.entries(pointwise)) {
    for (const part of (["forward", "da", "db"] as const).filter((key) => key in row)) {
      const plan = planStrided(
        { name: name as PointwiseName, part },
        strides.map(() => 2),
        { a: strides, b: strides, y: strides, g: strides },
        caps,
      );
      expect(parseKernel(plan.steps[0]!.kernel).paramsBytes, `${name} ${part}`).toBeLessThanOrEqual(PARAMS_BYTES);
    }
  }
});
