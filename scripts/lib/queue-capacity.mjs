import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { digits, markdownTable } from "../../bench/lib/table.mjs";
import { cut } from "../../packages/fcn/dist/queue/runs/tend.js";

const results = join(import.meta.dirname, "../../bench/results");
const DAY = 24 * 3600;

function record(pattern) {
  const file = readdirSync(results).find((name) => pattern.test(name));
  return file && JSON.parse(readFileSync(join(results, file), "utf8"));
}

/** What `npm run bench -- queue` measured, or undefined where it has not been run. */
export const queueRecord = () => record(/^queue-.*\.json$/);

/** What a long run of the jobs alone measured, or undefined where there was none. */
export const jobsRecord = () => record(/^jobs\.json$/);

const none = "not measured";
const count = (value) => Math.round(value).toLocaleString("en");
const bytes = (value) => {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log10(value) / 3)));
  return `${digits(value / 1000 ** power)} ${["B", "KB", "MB", "GB", "TB"][power]}`;
};

/** The measured figures that count for a queue, as a table of Markdown. */
export function measuredTable(record) {
  const { speed, many, adapter } = record ?? {};
  const rows = [
    ["bytes of the server a job in flight", many ? digits(many.bytesPerOpen) : none],
    ["processor time of a worker an image, a job each", many ? `${digits(many.hostMs)} ms` : none],
    ["the same by `fcn predict` alone", many ? `${digits(many.aloneMs)} ms` : none],
    [
      `jobs a second, one worker, ${many?.concurrency ?? 1} tiny images at a time`,
      many ? digits(many.perSecond) : none,
    ],
    [
      "images a second: alone, one worker, two",
      speed ? [speed.alone, speed.one, speed.two].map(digits).join(", ") : none,
    ],
  ];
  return markdownTable([adapter ? `measured on ${adapter.description}` : "measured", "value"], rows);
}

/** A long run of jobs, as a table of Markdown. */
export function jobsTable({ many }) {
  const quarters = (values) => values.map((mib) => `${digits(mib)} MiB`).join(", then ");
  const rows = [
    ["jobs a second", digits(many.perSecond)],
    ["results, and those in the list of results", [many.files, many.listed].map(count).join(", ")],
    ["jobs in flight", count(many.open)],
    ["memory of the server above one without jobs, first and last quarter", quarters(many.redis)],
    ["memory of the worker, first and last quarter", quarters(many.worker)],
    ["most memory of the worker, which lists the results at the end", `${digits(many.mostOfWorker)} MiB`],
    ["most memory of the command that asks", `${digits(many.mostOfAsking)} MiB`],
  ];
  return markdownTable([`${count(many.jobs)} jobs of one tiny image, ${many.concurrency} at a time`, "value"], rows);
}

/**
 * What many images need on many workers, as a table of Markdown.
 * @param {{ images: number, workers: number, perSecond: number, input: number, output: number }} asked `perSecond` is
 *   the images a second of one worker, `input` and `output` are bytes an image
 */
export function capacityTable({ images, workers, perSecond, input, output }, record) {
  const run = { spec: {}, total: images, next: 0, chunks: 0 };
  const chunks = cut(run, { open: 0, workers, seconds: Array.from({ length: workers }, () => 1 / perSecond) });
  const items = chunks[0].to - chunks[0].from;
  const rate = workers * perSecond;
  const { many } = record ?? {};
  const seconds = images / rate;
  const rows = [
    ["time", `${digits(seconds / DAY)} days`, `${digits(rate)} images/s`],
    ["images a chunk", count(items), "ten seconds of work"],
    ["chunks in all", count(images / items), `${digits(rate / items)} a second`],
    ["jobs in flight", count(chunks.length), "what waits, and what is at work"],
    [
      "memory of the server for them",
      many ? bytes(chunks.length * many.bytesPerOpen) : none,
      "whatever the number of images",
    ],
    [
      "processor time for the queue, a worker",
      many ? `${digits(((many.hostMs - many.aloneMs) * perSecond) / items)} ms/s` : none,
      "a job's cost, once a chunk",
    ],
    ["read from the place for images", bytes(images * input), `${digits((rate * input * 8) / 1e9)} Gbit/s`],
    ["written to the place for results", bytes(images * output), `${digits((rate * output * 8) / 1e9)} Gbit/s`],
    ["requests to buckets", count(2 * images + (3 * images) / items), "a read and a write an image, three a chunk"],
  ];
  return markdownTable([`${count(images)} images on ${workers} workers`, "value", ""], rows);
}
