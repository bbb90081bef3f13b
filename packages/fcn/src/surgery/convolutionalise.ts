import type { io } from "@fcn/tensor";
import { checkValue, rules, show } from "@fcn/tensor/internal";
import { arrayOf, type HostState, surgeryError } from "./state.js";

/**
 * Returns a fully connected layer as the equivalent convolution (section 3.1 of the FCN paper): the matrix [O, I * H *
 * W], whose columns run over channels, rows and columns of its input, becomes the kernel [O, I, H, W]. The values are
 * shared, not copied. `kernelSize` is the size in pixels of the features that the layer was trained on, as H = W or [H,
 * W]: 7 for VGG's fc6, 6 for AlexNet's, and 1 for the layers after it.
 *
 * Throws `invalid-argument` unless the matrix has two dimensions and the second is a multiple of H * W.
 */
export function convolutionalise(
  matrix: io.HostArray,
  { kernelSize }: { readonly kernelSize: number | readonly [number, number] },
): io.HostArray {
  const op = "convolutionalise";
  checkValue(`surgery.${op}`, "kernelSize", kernelSize, rules.extent(1));
  const [height, width] = typeof kernelSize === "number" ? [kernelSize, kernelSize] : kernelSize;
  const [outputs = 0, inputs = 0] = matrix.shape;
  if (matrix.shape.length !== 2 || inputs % (height * width) !== 0) {
    const problem = `the matrix has shape ${show(matrix.shape)}, expected [O, I * ${height} * ${width}]`;
    const fix = "pass the weight of a fully connected layer and the size of the features before it";
    throw surgeryError(op, problem, fix);
  }
  return { ...matrix, shape: [outputs, inputs / (height * width), height, width] };
}

/**
 * Returns the weights of a net with its fully connected layers as convolutions: `{ fc6: 7, fc7: 1 }`, or `{
 * "classifier.0": 7, "classifier.3": 1 }` for torchvision's VGG16. Layers that already are convolutions must have the
 * given kernel size.
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
