import { type AdaptivePoolGeometry, planAdaptiveAveragePool2d, planAdaptiveAveragePool2dBackward } from "@fcn/kernels";
import { record } from "../core/autograd.js";
import { planned } from "../core/planned.js";
import { inOrder, Tensor } from "../core/tensor.js";
import { limitExceeded, show } from "../plain/errors.js";
import { CHANNELS_LAST } from "../plain/layout.js";
import { checkOptions } from "../plain/options.js";
import { type RulesOf, required, rule } from "../plain/rules.js";
import { imageSizes, inputGradient } from "./operands.js";
import { mean } from "./reduce.js";

export interface AdaptiveAvgPool2dOptions {
  /** Rows and columns of the result, one number for both or [h, w]. null keeps the size of x. */
  readonly outputSize: number | readonly [number | null, number | null] | null;
}

const isSide = (side: unknown): boolean => side === null || (Number.isSafeInteger(side) && (side as number) >= 1);

/** @internal null is a size here, so the rule is none of those for extents. */
export const ADAPTIVE_AVG_POOL2D: RulesOf<AdaptiveAvgPool2dOptions> = {
  outputSize: required(
    rule("a whole number of at least 1, null, or two of these as [h, w]", (value) =>
      Array.isArray(value) ? value.length === 2 && value.every(isSide) : isSide(value),
    ),
  ),
};

/**
 * Mean over windows that divide the image to `outputSize` (torch.nn.functional.adaptive_avg_pool2d): [N, C, H, W] ->
 * [N, C, OH, OW], float32 or float16. Output row i is the mean of rows floor(i H / OH) to ceil((i + 1) H / OH) - 1, and
 * columns alike; an output may be larger than x. Throws `invalid-argument` for another size.
 *
 * @example
 * ```ts
 * import { adaptiveAvgPool2d, createDevice } from "@fcn/tensor";
 *
 * const device = await createDevice();
 * const x = device.randn([1, 8, 13, 10]);
 * console.log(adaptiveAvgPool2d(x, { outputSize: 6 }).shape); // [1, 8, 6, 6]
 * console.log(adaptiveAvgPool2d(x, { outputSize: [null, 1] }).shape); // [1, 8, 13, 1]
 * device.destroy();
 * ```
 */
export function adaptiveAvgPool2d(x: Tensor, options: AdaptiveAvgPool2dOptions): Tensor {
  const op = "adaptiveAvgPool2d";
  checkOptions<AdaptiveAvgPool2dOptions>(op, options, ADAPTIVE_AVG_POOL2D);
  const [n, channels, inH, inW] = imageSizes(op, x);
  const { outputSize } = options;
  const [outH, outW] = Array.isArray(outputSize) ? outputSize : [outputSize, outputSize];
  const g = { n, channels, inH, inW, outH: outH ?? inH, outW: outW ?? inW };
  checkProducts(op, x, g);
  // A thread for each channel would be few for a whole image; a mean of all is a reduction.
  if (g.outH === 1 && g.outW === 1) return mean(x, { dim: [2, 3], keepdim: true });
  const { runtime, shape, dtype } = x;
  using xs = inOrder(x, CHANNELS_LAST);
  const y = Tensor.empty(runtime, [n, channels, g.outH, g.outW], { dtype, order: CHANNELS_LAST });
  runtime.run(op, planned(planAdaptiveAveragePool2d, g), { x: xs, y });
  return record(op, y, [x], [], (grad) =>
    inputGradient(op, planned(planAdaptiveAveragePool2dBackward, g), grad, { shape, dtype, order: CHANNELS_LAST }),
  );
}

/** The kernel multiplies positions by sizes in 32 bits. */
function checkProducts(op: string, x: Tensor, { inH, inW, outH, outW }: AdaptivePoolGeometry): void {
  if (Math.max(inH * (outH + 1), inW * (outW + 1), (inH + 1) * outH, (inW + 1) * outW) < 2 ** 32) return;
  throw limitExceeded(
    `${op}: x has shape ${show(x.shape)} and the output ${outH} x ${outW}; a side times that of the output must be below 2^32`,
    "choose a smaller outputSize, or cut x into parts",
  );
}
