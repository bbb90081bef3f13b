import { cumsum as reference } from "@fcn/kernels/reference";
import { createDevice, cumsum, type Device } from "@fcn/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { gradCheck } from "../../support/gradcheck.js";
import { random } from "../../support/nd.js";

let device: Device;
beforeAll(async () => {
  device = await createDevice({ quiet: true });
});
afterAll(() => device?.destroy());

it.each([0, 1, 2])("cumsum along dim %i, with its gradient", (dim) =>
  gradCheck(device, {
    inputs: [random([3, 4, 5], 1)],
    seed: 2,
    run: (x) => cumsum(x, { dim }),
    reference: (x) => reference(x, dim),
  }),
);

// Rows shorter and longer than a workgroup, whose threads own one value, several, or none.
it.each([1, 2, 63, 64, 65, 300, 1025, 2049, 70_001])("cumsum of a row of %i counts up", async (size) => {
  const values = await cumsum(device.ones([2, size]), { dim: 1 }).data();
  expect(values.length).toBe(2 * size);
  expect(values.every((value, i) => value === (i % size) + 1)).toBe(true);
});

it("cumsum refuses labels and dims that are not there", () => {
  expect(() => cumsum(device.zeros([2], { dtype: "int32" }), { dim: 0 })).toThrow(/has dtype int32, expected float32/);
  expect(() => cumsum(device.zeros([2, 3]), { dim: 2 })).toThrow(/cumsum/);
});
