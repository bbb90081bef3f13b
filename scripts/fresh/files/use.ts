// Names the entries that users import, and what is inferred from them, for a strict compiler.
import * as fcn from "@fcn/core";
import { createDevice, crossEntropy, type Device, type Tensor } from "@fcn/tensor";
import * as io from "@fcn/tensor/io";
import * as nn from "@fcn/tensor/nn";
import * as optim from "@fcn/tensor/optim";

export class Tiny extends nn.Module {
  readonly conv: nn.Conv2d;
  constructor(device: Device) {
    super();
    this.conv = new nn.Conv2d(device, 3, 2, { kernelSize: 3, padding: 1 });
  }
  override forward(x: Tensor): Tensor {
    return this.conv.forward(x).relu();
  }
}

export async function use(): Promise<number> {
  using device = await createDevice({ quiet: true });
  const net = new Tiny(device);
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 });
  using loss = crossEntropy(net.forward(device.zeros([1, 3, 8, 8])), device.zeros([1, 8, 8], { dtype: "int32" }));
  loss.backward();
  optimizer.step();
  const arrays: Record<string, io.HostArray> = await io.readSafetensors("net.safetensors");
  net.loadStateDict(arrays, { strict: true });
  const metrics = new fcn.SegmentationMetrics(2, { ignoreIndex: 255 });
  return metrics.compute().meanIU + (await loss.item());
}
