import type { Page } from "playwright-core";
import { afterAll, describe, expect, it } from "vitest";
import { bundle, gzipBytes, loadedAtOnce } from "./support/bundle.js";
import { callOn, onPage } from "./support/page.js";

const OPEN = "const device = await createDevice({ quiet: true });";
const TENSOR = "import { createDevice";

/** Programs of a page that use a part of the library, what they return, and the most bytes that they may load. */
const PROGRAMS: Record<string, { code: string; returns: unknown; most: number }> = {
  "a device and relu": {
    code: `${TENSOR}, relu } from "@fcn/tensor";
      export async function run() {
        ${OPEN}
        const x = device.tensor([-1, 2], [2], { requiresGrad: true });
        const y = relu(x);
        y.backward(device.ones([2]));
        return [await y.array(), await x.grad.array()];
      }`,
    returns: [
      [0, 2],
      [0, 1],
    ],
    most: 30_000,
  },
  "a device and matmul": {
    code: `${TENSOR}, matmul } from "@fcn/tensor";
      export async function run() {
        ${OPEN}
        const x = device.tensor([[1, 2], [3, 4]], undefined, { requiresGrad: true });
        const y = matmul(x, x);
        y.backward(device.ones([2, 2]));
        return [await y.array(), await x.grad.array()];
      }`,
    returns: [
      [
        [7, 10],
        [15, 22],
      ],
      [
        [7, 11],
        [9, 13],
      ],
    ],
    most: 36_000,
  },
  "a device and a loss": {
    code: `${TENSOR}, crossEntropy } from "@fcn/tensor";
      export async function run() {
        ${OPEN}
        const scores = device.tensor([[0, 0]], undefined, { requiresGrad: true });
        const loss = crossEntropy(scores, device.tensor([1], [1], { dtype: "int32" }));
        loss.backward();
        return [Math.round(1e4 * await loss.item()), await scores.grad.array()];
      }`,
    returns: [6931, [[0.5, -0.5]]],
    most: 33_000,
  },
  "a device and a convolution": {
    code: `${TENSOR}, conv2d } from "@fcn/tensor";
      export async function run() {
        ${OPEN}
        const w = device.tensor([2], [1, 1, 1, 1], { requiresGrad: true });
        const y = conv2d(device.tensor([1, 2, 3], [1, 1, 1, 3]), w);
        y.backward(device.ones([1, 1, 1, 3]));
        return [await y.array(), await w.grad.array()];
      }`,
    returns: [[[[[2, 4, 6]]]], [[[[6]]]]],
    most: 55_000,
  },
  "a net, its training and its prediction": {
    code: `${TENSOR} } from "@fcn/tensor";
      import { models, predict, train } from "@fcn/core";
      export async function run() {
        ${OPEN}
        const model = models.create("fcn8s-small", device, { numClasses: 2, widthMultiplier: 1 / 4, seed: 1 });
        const [height, width] = [64, 64];
        const data = Uint8Array.from({ length: height * width * 3 }, (_, i) => (i % (3 * width) < 96 ? 0 : 255));
        const image = { data, height, width, channels: 3 };
        const labels = Int32Array.from({ length: height * width }, (_, i) => (i % width < 32 ? 0 : 1));
        const preprocessing = { channelOrder: "rgb", mean: [127, 127, 127], std: [64, 64, 64] };
        await train({ model, data: [{ name: "halves", image, labels }], preprocessing, numClasses: 2, steps: 15, learningRate: 0.01 });
        const { labels: found } = await predict(model, image, { preprocessing });
        return found.reduce((right, label, i) => right + (label === labels[i]), 0) > 0.9 * height * width;
      }`,
    returns: true,
    most: 133_000,
  },
};

const sizes: string[] = [];
afterAll(() => console.log(sizes.join("\n")));

describe.each(Object.entries(PROGRAMS))("%s", (name, { code, returns, most }) => {
  it(`is a bundle of less than ${most} bytes compressed, and works`, async () => {
    const chunks = await bundle(code, { minify: true });
    const bytes = gzipBytes(loadedAtOnce(chunks));
    sizes.push(`${bytes.toLocaleString("en").padStart(8)} bytes: ${name}`);
    expect(await onPage((page: Page) => callOn(page, chunks, "run"))).toEqual(returns);
    expect(bytes).toBeLessThan(most);
  });
});
