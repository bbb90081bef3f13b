import { inspect } from "node:util";
import { createDevice, relu } from "@fcn/tensor";
import { expect, it } from "vitest";

it("a tensor prints its shape, dtype and history, and shows its values", async () => {
  using device = await createDevice();
  const x = device.tensor([-1, 0.5, 2, 3], [2, 2], { requiresGrad: true });
  expect(`${x}`).toBe("tensor(shape=[2, 2], dtype=float32, requiresGrad=true)");
  expect(inspect({ x })).toBe("{ x: tensor(shape=[2, 2], dtype=float32, requiresGrad=true) }");
  const y = relu(x);
  expect(`${y}`).toBe("tensor(shape=[2, 2], dtype=float32, op=relu)");
  // A permuted tensor is shown in its logical order.
  expect(await y.permute([1, 0]).show()).toBe("tensor([[0.0000, 2.0000],\n        [0.5000, 3.0000]], op=permute)");
  expect(await device.tensor([7], [1], { dtype: "int32" }).show()).toBe("tensor([7], dtype=int32)");
  y.dispose();
  expect(`${y}`).toBe("tensor(shape=[2, 2], dtype=float32, op=relu, disposed)");
  await expect(y.show()).rejects.toMatchObject({ code: "disposed" });
});
