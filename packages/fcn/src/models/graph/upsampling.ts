import { convTranspose2d, type Device, nn, type Tensor } from "@fcn/tensor";
import { bilinearKernel } from "./weights/bilinear.js";
import { seedFor, uniform } from "./weights/initialise.js";
import { along, type LayerOf } from "./spec.js";

/**
 * A transposed convolution that starts bilinear. Weight [in, out / groups, k, k]; a layer that is not learned keeps it as a buffer, so that it is in the
 * state dict but not among the parameters. The bias, where there is one, starts as PyTorch's does.
 */
export class BilinearUpsampling extends nn.Module {
  readonly #weight: Tensor;
  readonly #bias: Tensor | undefined;
  readonly #groups: number;
  readonly #stride: number;
  readonly #padding: number;

  constructor(device: Device, channels: number, layer: LayerOf<"convTranspose">, seed: number) {
    super();
    const { outChannels, groups = 1, learned = false } = layer;
    const k = along(layer.kernelSize, 0, 1);
    const kernel = bilinearKernel(channels, outChannels / groups, k);
    this.#groups = groups;
    this.#stride = along(layer.stride, 0, 1);
    this.#padding = along(layer.padding, 0, 0);
    this.#weight = nn.convolutionWeight(device, kernel.data, kernel.shape);
    if (learned) this.registerParameter("weight", this.#weight);
    else this.registerBuffer("weight", this.#weight);
    if (layer.bias !== true) return;
    const bound = 1 / Math.sqrt((outChannels / groups) * k * k);
    this.#bias = uniform(device, [outChannels], bound, seedFor(seed, "bias"));
    this.registerParameter("bias", this.#bias);
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.#weight, this.#bias, {
      stride: this.#stride,
      padding: this.#padding,
      groups: this.#groups,
    });
  }
}
