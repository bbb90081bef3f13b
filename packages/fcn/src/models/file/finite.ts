import { add, mul, type nn, noGrad, sum } from "@fcn/tensor";
import { deviceOf } from "../segmentationNet.js";

/**
 * The name of the first parameter or buffer that holds NaN or infinity, or undefined if all values are finite. Waits
 * for the device.
 */
export async function findNonFinite(model: nn.Module): Promise<string | undefined> {
  const floats = Object.entries(model.stateDict()).filter(([, { dtype }]) => dtype === "float32");
  if (floats.length === 0) return undefined;
  const device = deviceOf(model);
  return noGrad(async () => {
    // One sum over everything costs a single read when all is well, and copies no array.
    const total = await device.scope(() =>
      floats
        .map(([, tensor]) => sum(tensor))
        .reduce((a, b) => add(a, b))
        .item(),
    );
    if (Number.isFinite(total)) return undefined;
    for (const [name, tensor] of floats) {
      // Finite values can overflow a sum. 0 times a finite value is 0, but 0 times NaN or infinity is NaN.
      if ((await device.scope(() => sum(mul(tensor, 0)).item())) !== 0) return name;
    }
    return undefined;
  });
}
