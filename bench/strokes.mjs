/**
 * How many strokes the example of the studio needs: a person is simulated who paints a stroke, lets FCN-8s learn for
 * some steps, looks, and paints the next one, of the true class; either the classes in turn at a random place, or where
 * the net is least sure. Prints the strokes after which the mean IU over all pixels of the example first reaches a
 * score, the median over seeds, as a table in Markdown.
 *
 *   npm run strokes [-- --strokes 45 --steps 10 --seeds 1,2,3]
 */
import { parseArgs } from "node:util";
import { data, predict, SegmentationMetrics } from "@fcn/core";
import { createDevice } from "@fcn/tensor";
import { CLASSES, loadParts, possibleLines, SIDE } from "../studio/scripts/example.mjs";
import { median } from "./lib/median.mjs";
import { loadStudio } from "./lib/studio.mjs";

const WORK = 256;
const WIDTH = 14;
const SCORES = [0.5, 0.6, 0.7];
const WAYS = { "at random places": "random", "where the net is unsure": "unsure" };

const { values } = parseArgs({
  options: {
    strokes: { type: "string", default: "45" },
    steps: { type: "string", default: "10" },
    seeds: { type: "string", default: "1,2,3" },
  },
});
const [MOST, STEPS] = [Number(values.strokes), Number(values.steps)];
const studio = await loadStudio();

/** The parts at the size of the work, with the truth at full size and at that size. */
async function loadImages() {
  const step = SIDE / WORK;
  return Promise.all(
    (await loadParts()).map(async ({ id, name, image, labels }) => {
      const { data: pixels } = await image.resize(WORK, WORK).raw().toBuffer({ resolveWithObject: true });
      const truth = Uint8Array.from({ length: WORK * WORK }, (_, i) => {
        return labels[(Math.floor(i / WORK) * step + step / 2) * SIDE + (i % WORK) * step + step / 2];
      });
      return {
        id,
        name,
        labels,
        truth,
        raster: { data: new Uint8Array(pixels), height: WORK, width: WORK, channels: 3 },
      };
    }),
  );
}

/** Mean entropy of the prediction along a line, as a share of the most there can be. */
function entropyAlong(points, probabilities) {
  const plane = WORK * WORK;
  const at = points.map(([x, y]) => {
    const pixel = Math.floor((y * WORK) / SIDE) * WORK + Math.floor((x * WORK) / SIDE);
    const shares = CLASSES.map((_, c) => probabilities[c * plane + pixel]);
    return shares.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
  });
  return at.reduce((a, b) => a + b) / at.length / Math.log(CLASSES.length);
}

/** The mean IU after each stroke. */
async function paint(device, images, way, seed) {
  const random = data.createRandom(seed);
  const net = studio.newNet("fcn8s-small", CLASSES, device, seed);
  const { preprocessing } = net.metadata;
  const patches = new studio.Patches({ side: 64, count: 4, augment: true, preprocessing, seed });
  const strokes = images.map(() => []);
  let seen = images.map(() => undefined);
  const add = (turn) => {
    const which = Math.floor(random() * images.length);
    const lines = (i) => possibleLines(images[i].labels, { width: WIDTH, random, tries: 600 });
    const anywhere = () => {
      const own = lines(which).filter(({ label }) => label === turn % CLASSES.length);
      return { i: which, line: own[0] };
    };
    const unsure = () => {
      const all = images.flatMap((_, i) =>
        lines(i).map((line) => ({ i, line, doubt: entropyAlong(line.points, seen[i]) })),
      );
      return all.reduce((best, one) => (one.doubt > best.doubt ? one : best));
    };
    // Each class needs a first stroke before a net can be unsure.
    const { i, line } = way === "unsure" && turn >= CLASSES.length ? unsure() : anywhere();
    if (line === undefined) return add(turn);
    const shape = { kind: "line", points: line.points, width: WIDTH };
    strokes[i].push({ id: String(turn), classId: CLASSES[line.label].id, shape });
    patches.lessons = images.flatMap(({ id, name, raster }, k) => {
      if (strokes[k].length === 0) return [];
      const image = { id, name, height: SIDE, width: SIDE, strokes: strokes[k] };
      return [{ image: raster, labels: studio.rasterise(image, CLASSES, { height: WORK, width: WORK }).train }];
    });
  };
  const scores = new Array(CLASSES.length - 1).fill(0);
  for (let turn = 0; turn < CLASSES.length; turn++) add(turn);
  await new Promise((resolve, reject) => {
    const onReading = async ({ step }) => {
      if (step % STEPS !== 0) return;
      const metrics = new SegmentationMetrics(CLASSES.length);
      const found = [];
      for (const { raster, truth } of images) {
        const { labels, probabilities } = await predict({ model: net.model, metadata: net.metadata }, raster, {
          probabilities: true,
        });
        metrics.update(labels, truth);
        found.push(probabilities.data);
      }
      seen = found;
      scores.push(metrics.compute().meanIU);
      if (scores.length < MOST) return add(scores.length);
      trainee.stop().catch(reject);
    };
    const options = { net, patches, turns: new studio.Turns(), learningRate: 1e-3, onReading };
    const trainee = new studio.Trainee(options);
    trainee.run().then(resolve, reject);
    trainee.isOn = true;
  });
  net.model.dispose();
  return scores;
}

const device = await createDevice({ quiet: true });
const images = await loadImages();
const rows = [];
for (const [text, way] of Object.entries(WAYS)) {
  const runs = [];
  for (const seed of values.seeds.split(",").map(Number)) {
    const scores = await paint(device, images, way, seed);
    console.error(`${way}, seed ${seed}: ${scores.map((score) => score.toFixed(2)).join(" ")}`);
    runs.push(scores);
  }
  const needed = SCORES.map((score) => {
    const counts = runs.map((scores) => scores.findIndex((own) => own >= score) + 1 || Infinity);
    const middle = median(counts);
    const all = counts.map((count) => (count === Infinity ? `> ${MOST}` : count)).join(", ");
    return `${middle === Infinity ? `> ${MOST}` : middle} (${all})`;
  });
  rows.push(`| ${text} | ${needed.join(" | ")} |`);
}
console.log(`| strokes painted | ${SCORES.map((score) => `mean IU ${score}`).join(" | ")} |`);
console.log(`|---|${SCORES.map(() => "---|").join("")}`);
for (const row of rows) console.log(row);
console.log(`\nDevice: ${device.info.description}. ${STEPS} steps a stroke, seeds ${values.seeds}; each in brackets.`);
device.destroy();
