/**
 * What a queue needs for many images on many workers, from the figures that `npm run bench -- queue` and a long
 * run of its jobs (bench/queue.mjs) wrote to bench/results. Its tables stand in docs/queue.md.
 *
 *   node scripts/queue-capacity.mjs [--images 1e9] [--workers 100] [--per-second 50] [--input 5e5] [--output 2e4]
 *
 * --per-second is the images a second of one worker, --input and --output are bytes an image. After `npm run build`.
 */
import { parseArgs } from "node:util";
import { capacityTable, jobsRecord, jobsTable, measuredTable, queueRecord } from "./lib/queue-capacity.mjs";

const { values } = parseArgs({
  options: {
    images: { type: "string", default: "1e9" },
    workers: { type: "string", default: "100" },
    "per-second": { type: "string", default: "50" },
    input: { type: "string", default: "5e5" },
    output: { type: "string", default: "2e4" },
  },
});
const { "per-second": perSecond, ...rest } = values;
const asked = Object.fromEntries(Object.entries({ ...rest, perSecond }).map(([name, text]) => [name, Number(text)]));
const record = queueRecord();
const jobs = jobsRecord();
const tables = [measuredTable(record), ...(jobs ? [jobsTable(jobs)] : []), capacityTable(asked, record)];
console.log(tables.join("\n\n"));
