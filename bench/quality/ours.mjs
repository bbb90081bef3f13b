/** One net trained and scored here, on batches that were drawn before. */
import { evaluate, models, train } from "@fcn/core";
import { shuffledIndices } from "../../packages/fcn/dist/data/random.js";
import { stackSamples } from "../../packages/fcn/dist/data/samples/batches.js";

/** Grey levels about 0, whatever the set. */
export const PREPROCESSING = { channelOrder: "rgb", mean: [127.5, 127.5, 127.5], std: [64, 64, 64] };

/** Stochastic gradient descent as both sides do it. */
export const RECIPE = { learningRate: 0.05, momentum: 0.9, weightDecay: 5e-4, power: 0.9 };

const MODEL = "fcn8s-small";

/** The net of a seed, in its initial state. */
export const makeNet = (device, numClasses, seed) => models.create(MODEL, device, { numClasses, seed });

/** The layers of the net as data, with the offsets of its crops, which other libraries are told to build. */
export function layersOf(numClasses, height, width) {
  const { graph } = models.graphOf(MODEL, { numClasses });
  const rows = new Map(models.describe(MODEL, { numClasses, height, width }).map((row) => [row.name, row]));
  const nodes = graph.nodes.map((node) => ({ ...node, crop: rows.get(node.name).cropOffset ?? null }));
  return { nodes, out: graph.outputs.out };
}

/** Numbers from 0 to 1 that a seed fixes (mulberry32). */
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The images of each step: passes over all of them, each in an order of its own. */
export function drawBatches(count, batch, steps, seed) {
  const random = randomNumbers(seed);
  const order = [];
  while (order.length < steps * batch) order.push(...shuffledIndices(count, random));
  return Array.from({ length: steps }, (_, step) => order.slice(step * batch, (step + 1) * batch));
}

/** Trains a net and returns its confusion matrix on the images held back, and the loss of its first step. */
export async function runOurs(net, { classes, train: samples, validation }, batches) {
  const drawn = batches.values();
  const data = {
    next: async () => ({
      value: stackSamples(
        drawn.next().value.map((i) => samples[i]),
        PREPROCESSING,
      ),
    }),
  };
  const { losses } = await train({
    model: net,
    data,
    preprocessing: PREPROCESSING,
    numClasses: classes.length,
    steps: batches.length,
    optimizer: "sgd",
    schedule: "poly",
    learningRate: RECIPE.learningRate,
    momentum: RECIPE.momentum,
    weightDecay: RECIPE.weightDecay,
    readAt: (step) => step === 1,
  });
  const options = { preprocessing: PREPROCESSING, numClasses: classes.length };
  const { confusion } = await evaluate(net, validation, options);
  return { confusion: confusion.map((row) => [...row]), firstLoss: losses[0].loss };
}
