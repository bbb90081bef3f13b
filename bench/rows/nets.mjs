/** Whole nets: prediction beside onnxruntime. */
import { generator, uniform } from "../lib/random.mjs";
import { netOpens } from "./net.mjs";

const CLASSES = 21;
const [HEIGHT, WIDTH] = [320, 480];

function makeImage() {
  const shape = [1, 3, HEIGHT, WIDTH];
  return { shape, data: uniform(generator(11), 3 * HEIGHT * WIDTH) };
}

/** A new FCN scores zero everywhere, which any mistake would too: its score layers get numbers. */
function withScores(device, net) {
  for (const [name, parameter] of net.namedParameters()) {
    if (!name.startsWith("score")) continue;
    const values = device.randn(parameter.shape, { seed: 7 });
    parameter.assign(values);
    values.dispose();
  }
  return net;
}

function netRow(name) {
  const makeNet = ({ fcn, device }) =>
    withScores(device, fcn.models.create(name, device, { numClasses: CLASSES, seed: 1 }));
  return {
    title: `prediction of ${name}, ${HEIGHT}x${WIDTH}`,
    group: "nets",
    tolerance: 1e-4,
    kinds: {},
    opens: netOpens(makeNet, makeImage),
  };
}

export const NET_ROWS = ["d2l-resnet18", "fcn8s-mobilenetv2", "fcn_resnet50"].map(netRow);
