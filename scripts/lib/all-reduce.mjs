import { readFileSync } from "node:fs";
import { models } from "@fcn/core";
import { digits, markdownTable } from "../../bench/lib/table.mjs";

const SOFTWARE = "llvmpipe-llvm-15-0-6-256-bits";
const result = (name) => JSON.parse(readFileSync(new URL(`../../bench/results/${name}.json`, import.meta.url), "utf8"));

/** Nets with the images of a step of their recipes, and the seconds that one image took on Mesa's software driver. */
const STEPS = [
  {
    ...{ name: "d2l-resnet18", height: 320, width: 480, batch: 32 },
    measured() {
      const row = result(SOFTWARE).rows.find(
        ({ title }) => title === "training step of d2l-resnet18, batch 1, 320x480",
      );
      return row.ms.ours / 1000;
    },
  },
  {
    ...{ name: "fcn8s-vgg16", height: 500, width: 500, batch: 1 },
    measured: () => result(`memory-${SOFTWARE}`).phases.find(({ name }) => name === "second training step").seconds,
  },
];
const GIGABITS = [1, 10, 100];
const BYTES = 4;
/** Forward is one pass of multiply-adds, backward two: one for the gradients of the inputs, one for the weights. */
const PASSES = 3;

const seconds = (value) => (value < 1 ? `${digits(1000 * value)} ms` : `${digits(value)} s`);

/**
 * Bytes that each of n machines sends, and as many that it receives, so that all have the sum of their gradients: a
 * ring all-reduce, which no other way undercuts.
 */
export const ringBytes = (bytes, machines) => (2 * (machines - 1) * bytes) / machines;

/**
 * What a step computes and what it would have to send, for networks of several speeds, as a table of Markdown.
 * @param {{ teraflops: number, machines: number }} how what a GPU sustains, in 10^12 operations a second, and how many
 *   machines share the work
 */
export function allReduceTable({ teraflops, machines }) {
  const rows = STEPS.flatMap(({ name, height, width, batch, measured }) => {
    const { parameters, multiplyAdds } = models.info(name, { height, width });
    const bytes = BYTES * parameters;
    const row = (gigabits, step, on) => {
      const transfer = ringBytes(bytes, machines) / (gigabits * 1.25e8);
      const speed = (time) => digits((machines * step) / time);
      return [
        `${name}, ${batch} x ${height}x${width}`,
        `${digits(bytes / 1e6)} MB`,
        on,
        seconds(step),
        `${gigabits} Gbit/s`,
        seconds(transfer),
        speed(step + transfer),
        speed(Math.max(step, transfer)),
      ];
    };
    const step = (2 * PASSES * multiplyAdds * batch) / (teraflops * 1e12);
    return [
      ...GIGABITS.map((gigabits) => row(gigabits, step, `${teraflops} TFLOP/s`)),
      row(1, batch * measured(), "two cores"),
    ];
  });
  const transfer = `all-reduce of ${machines}`;
  const header = ["net and batch", "gradients", "on", "step", "network", transfer, `speed of ${machines}`, "at best"];
  return markdownTable(header, rows);
}
