import { crossEntropy, type nn, optim, type Tensor } from "@fcn/tensor";
import { image, labels } from "./hash-values.js";
import { headsOf } from "./output-samples.js";

/** The losses of 20 steps on images [batch, 3, 33, 40] of 3 classes, by the head `out` of a net with several. */
export async function lossesOf(net: nn.Module, name: string, batch: number): Promise<number[]> {
  const { device } = net.parameters()[0] as Tensor;
  const target = labels(batch, 33, 40, 3);
  const input = image(name, target, 3);
  const x = device.tensor(input.data, [...input.shape]);
  const y = device.tensor(target.data, [...target.shape], { dtype: "int32" });
  using sgd = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    await device.scope(async () => {
      sgd.zeroGrad();
      const loss = crossEntropy(headsOf(net.forward(x)).out as Tensor, y);
      loss.backward();
      sgd.step();
      losses.push(await loss.item());
    });
  }
  return losses;
}
