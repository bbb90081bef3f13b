import type { io } from "@fcn/tensor";
import { show } from "@fcn/tensor/internal";
import { arrayOf, type HostState, surgeryError } from "./state.js";

/**
 * A fully connected layer as the convolution that it is (section 3.1 of the FCN paper): the matrix [O, I * H * W],
 * whose columns run over channels, rows and columns of its input, is the kernel [O, I, H, W]. The values are shared,
 * not copied. `kernelSize` is H = W, or [H, W], of the features that the layer was trained on: 7 for VGG's fc6, 6 for
 * AlexNet's, 1 for what follows.
 *
 * Throws unless the matrix has two dimensions, of which the second is a multiple of H * W.
 */
export function convolutionalise(
  matrix: io.HostArray,
  { kernelSize }: { readonly kernelSize: number | readonly [number, number] },
): io.HostArray {
  const op = "convolutionalise";
  const [height, width] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
  const [outputs = 0, inputs = 0] = matrix.shape;
  if (![height, width].every((size) => Number.isInteger(size) && size >= 1)) {
    throw surgeryError(
      op,
      `kernelSize is ${JSON.stringify(kernelSize)}`,
      "pass a whole number of at least 1, or [h, w]",
    );
  }
  if (matrix.shape.length !== 2 || inputs % (height * width) !== 0) {
    const problem = `the matrix has shape ${show(matrix.shape)}, expected [O, I * ${height} * ${width}]`;
    throw surgeryError(
      op,
      problem,
      "pass the weight of a fully connected layer and the size of the features before it",
    );
  }
  return { ...matrix, shape: [outputs, inputs / (height * width), height, width] };
}

/**
 * The weights of a net with its fully connected layers as convolutions: `{ fc6: 7, fc7: 1 }`, or `{ "classifier.0": 7,
 * "classifier.3": 1 }` of torchvision's VGG16. Layers that are convolutions already must have the size that is named.
 */
export function convolutionaliseState(state: HostState, layers: Readonly<Record<string, number>>): HostState {
  const entries = Object.entries(layers).map(([layer, kernelSize]): [string, io.HostArray] => {
    const name = `${layer}.weight`;
    const array = arrayOf("convolutionalise", state, name);
    const [, , height, width] = array.shape;
    const done = array.shape.length === 4 && height === kernelSize && width === kernelSize;
    return [name, done ? array : convolutionalise(array, { kernelSize })];
  });
  return { ...state, ...Object.fromEntries(entries) };
}
