import { add, mul, type nn, noGrad, sum } from "@fcn/tensor";
import { deviceOf } from "../segmentationNet.js";

/**
 * The first parameter or buffer of a net that holds NaN or infinity; undefined where all of its numbers are finite.
 * Waits for the device.
 */
export async function findNonFinite(model: nn.Module): Promise<string | undefined> {
  const floats = Object.entries(model.stateDict()).filter(([, { dtype }]) => dtype === "float32");
  if (floats.length === 0) return undefined;
  const device = deviceOf(model);
  return noGrad(async () => {
    // One number is read where all is well, and no array is copied.
    const total = await device.scope(() =>
      floats
        .map(([, tensor]) => sum(tensor))
        .reduce((a, b) => add(a, b))
        .item(),
    );
    if (Number.isFinite(total)) return undefined;
    for (const [name, tensor] of floats) {
      // Finite numbers may have an infinite sum: 0 times a number is 0, of NaN and infinity it is NaN.
      if ((await device.scope(() => sum(mul(tensor, 0)).item())) !== 0) return name;
    }
    return undefined;
  });
}
