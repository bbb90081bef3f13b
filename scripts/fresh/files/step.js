// What every fresh project runs: a small FCN learns one image, on whatever adapter there is.
import * as fcn from "@fcn/core";
import { createDevice, crossEntropy, optim } from "@fcn/tensor";

/** The names of the nets, for places that have no GPU. */
export const names = fcn.models.list();

/** The losses before and after four steps, and how many pixels the trained net labels. */
export async function trainingSteps() {
  const device = await createDevice({ quiet: true });
  try {
    const net = fcn.models.create("fcn8s-small", device, { numClasses: 3, widthMultiplier: 1 / 4, seed: 1 });
    const optimizer = new optim.SGD(net.train().parameters(), { lr: 0.05, momentum: 0.9 });
    const image = device.randn([1, 3, 32, 48], { seed: 2 });
    const target = device.zeros([1, 32, 48], { dtype: "int32" });
    const losses = [];
    for (let i = 0; i < 5; i++) {
      losses.push(
        await device.scope(async () => {
          const loss = crossEntropy(net.forward(image), target);
          optimizer.zeroGrad();
          loss.backward();
          optimizer.step();
          return await loss.item();
        }),
      );
    }
    const pixels = { data: new Uint8Array(32 * 48 * 3), height: 32, width: 48, channels: 3 };
    const { labels } = await fcn.predict(net.eval(), pixels, { preprocessing: fcn.data.PREPROCESSINGS.imagenet });
    return { runtime: device.info.runtime, first: losses[0], last: losses[4], labels: labels.length };
  } finally {
    device.destroy();
  }
}
