// Transfer from real weights, by the commands that everyone has: composes images from Tux Paint's stamps and
// photographs of two Debian packages (`fcn data compose`), trains an FCN-16s from the MobileNetV2 of the npm package
// nsfwjs and from random weights (`fcn train`), and prints both beside background everywhere.
//
//   node scripts/transfer.mjs [--steps N] [--samples N] [--validation N] [--seed N] [--search] [--out DIR]
//     [--stamps DIR] [--photos DIR] [--json]
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SegmentationMetrics } from "@fcn/core";
import { installMissing, packagesAdvice } from "./lib/packages.mjs";
import { fail, readSystem } from "./lib/system.mjs";
import { imagesOf, PACKAGES } from "./lib/transfer-sources.mjs";

const FCN = fileURLToPath(new URL("../packages/fcn/bin/fcn.js", import.meta.url));
const MODEL = "fcn16s-mobilenetv2";

/**
 * What differs between the two starts. Statistics of batch norm are worth keeping where they were learned; a random
 * backbone has none.
 */
const STARTS = {
  random: {
    rate: 1e-2,
    flags: ["--pretrained", "none", "--model-option", "samePadding=true", "--model-option", "bnEps=1e-3"],
  },
  pretrained: { rate: 1e-3, flags: ["--pretrained", "nsfwjs/mobilenetv2", "--freeze-batch-norm"] },
};
/** Rates that `--search` tries; those above are the best of them. */
const CANDIDATE_RATES = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2];

const { values: options } = parseArgs({
  options: {
    steps: { type: "string", default: "200" },
    samples: { type: "string", default: "600" },
    validation: { type: "string", default: "80" },
    seed: { type: "string", default: "1" },
    search: { type: "boolean", default: false },
    out: { type: "string", default: "out/transfer" },
    stamps: { type: "string" },
    photos: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

/** Runs one command, shown first; returns what it printed as JSON, and ends with its exit code where it fails. */
function fcn(...args) {
  process.stderr.write(`\n$ npx fcn ${args.map((arg) => (/[\s|()]/.test(arg) ? `'${arg}'` : arg)).join(" ")}\n`);
  const { status, stdout } = spawnSync(process.execPath, [FCN, ...args, "--json"], {
    stdio: ["inherit", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout);
}

function ensurePackages() {
  const missing = PACKAGES.filter(({ option, path }) => options[option] === undefined && !existsSync(path));
  const names = missing.map(({ name }) => name);
  const { step, problem } = installMissing(names);
  if (problem !== null) fail(problem.message, problem.fix);
  if (step !== "advise") return;
  const { command, why } = packagesAdvice({ ...readSystem(), packages: names });
  fail(`the images for this command are absent: ${names.join(" and ")}`, `${command}\n     (${why})`);
}

function train(start, rate) {
  const out = join(options.out, options.search ? `${start}-${rate}` : start);
  rmSync(out, { recursive: true, force: true });
  const { steps, seed } = options;
  const common = ["--model", MODEL, "--preprocessing", "unit", "--steps", steps, "--batch", "4", "--seed", seed];
  const pace = ["--validate-every", String(Math.max(1, Math.round(Number(steps) / 4)))];
  const flags = [...common, ...pace, ...STARTS[start].flags, "--lr", String(rate)];
  return { start, rate, run: fcn("train", "--data", join(options.out, "data"), ...flags, "--out", out) };
}

/** The scores of background everywhere on pixels like those of a confusion matrix. */
function backgroundScores(confusion) {
  const metrics = new SegmentationMetrics(confusion.length);
  metrics.addConfusion(confusion.flatMap((row) => row.map((_, i) => (i === 0 ? row.reduce((a, b) => a + b, 0) : 0))));
  return metrics.compute();
}

const percent = (value) => (100 * value).toFixed(1);
const cells = (name, { pixelAccuracy, meanAccuracy, meanIU, frequencyWeightedIU }) =>
  [name, ...[pixelAccuracy, meanAccuracy, meanIU, frequencyWeightedIU].map(percent)].join(" | ");

function describe({ background, starts }) {
  const lines = [
    "| net | pixel accuracy | mean accuracy | mean IU | frequency-weighted IU |",
    "| --- | ---: | ---: | ---: | ---: |",
    `| ${cells("background everywhere", background)} |`,
    ...starts.map(({ start, scores }) => `| ${cells(`from ${start} weights`, scores)} |`),
    "",
    ...starts.flatMap(({ start, tried }) =>
      tried.length > 1
        ? [`${start}: ${tried.map(({ rate, meanIU }) => `${percent(meanIU)} at ${rate}`).join(", ")}`]
        : [],
    ),
    `reports: ${starts.map(({ out }) => join(out, "report.html")).join(", ")}`,
  ];
  return `\n${lines.join("\n")}\n`;
}

ensurePackages();
const data = join(options.out, "data");
rmSync(data, { recursive: true, force: true });
const { samples, validation, seed } = options;
const counts = ["--samples", samples, "--validation", validation, "--size", "128", "--seed", seed];
fcn("data", "compose", ...imagesOf(options), ...counts, "--out", data);
const starts = Object.entries(STARTS).map(([start, { rate }]) => {
  const tried = (options.search ? CANDIDATE_RATES : [rate]).map((candidate) => train(start, candidate));
  const best = tried.reduce((a, b) => (b.run.best.scores.meanIU > a.run.best.scores.meanIU ? b : a));
  const { scores } = best.run.best;
  const all = tried.map(({ rate, run }) => ({ rate, meanIU: run.best.scores.meanIU }));
  return { start, rate: best.rate, out: best.run.out, scores, tried: all };
});
const summary = { background: backgroundScores(starts[0].scores.confusion), starts };
process.stdout.write(options.json ? `${JSON.stringify(summary, null, 2)}\n` : describe(summary));
