/** `device.tune` on a training step of the d2l net: what it finds, and what that gains. */
import { createDevice } from "@fcn/tensor";
import { tileName } from "../lib/convolutions.mjs";
import { digits, markdownTable } from "../lib/table.mjs";
import { openSteps } from "../stub/work.mjs";

const NET = "d2l-resnet18";
const ROUNDS = 5;

class TimeOver extends Error {}

/** Median ms of a step, until the GPU is done. */
async function stepTime(device, step, rounds) {
  const times = [];
  for (let i = 0; i < rounds + 2; i++) {
    const start = performance.now();
    await step();
    await device.sync();
    if (i > 1) times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

export async function run({ result, isOver, software }) {
  const rounds = software ? 1 : ROUNDS;
  result.tiles = [];
  const device = await createDevice({ quiet: true });
  try {
    const { train } = openSteps(device, NET);
    const onProgress = (done, total, { key, tile, speedup }) => {
      Object.assign(result, { done, total });
      result.tiles.push({ key, tile, speedup });
      if (isOver()) throw new TimeOver();
    };
    result.beforeMs = await stepTime(device, () => device.scope(async () => void train()), rounds);
    try {
      await device.tune(train, { onProgress });
    } catch (error) {
      if (!(error instanceof TimeOver)) throw error;
      result.cutOff = true;
      return;
    }
    result.afterMs = await stepTime(device, () => device.scope(async () => void train()), rounds);
  } finally {
    device.destroy();
  }
}

export function lines({ tiles = [], total, beforeMs, afterMs, cutOff }) {
  const gained = tiles.filter(({ speedup }) => speedup > 1).sort((a, b) => b.speedup - a.speedup);
  const step =
    afterMs === undefined
      ? ""
      : `; a training step of ${NET} takes ${digits(beforeMs)} ms before, ${digits(afterMs)} ms after`;
  return [
    `* ${tiles.length} of ${total ?? "the"} convolutions tuned${cutOff ? ", then the time was over" : ""}: ${gained.length} gain${step}`,
    ...(gained.length > 0
      ? [
          "",
          markdownTable(
            ["convolution", "tile", "gain"],
            gained.map(({ key, tile, speedup }) => [key, tileName(tile), `${digits(speedup)}x`]),
          ),
        ]
      : []),
  ];
}
