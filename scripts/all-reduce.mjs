/**
 * What training one net on several machines would cost: a step of each, and the time in which they would exchange its
 * gradients. The table stands in docs/queue.md.
 *
 *   node scripts/all-reduce.mjs [--teraflops 20] [--machines 8]        after `npm run build`
 *
 * A step is the arithmetic of its convolutions at what a GPU sustains, or what bench/results has of Mesa's software
 * driver on two cores. "At best" hides all of the transfer behind it.
 */
import { parseArgs } from "node:util";
import { allReduceTable } from "./lib/all-reduce.mjs";

const { values } = parseArgs({
  options: { teraflops: { type: "string", default: "20" }, machines: { type: "string", default: "8" } },
});
console.log(allReduceTable({ teraflops: Number(values.teraflops), machines: Number(values.machines) }));
