/**
 * What a queue costs and gains: `fcn predict` with workers beside `fcn predict` alone.
 *
 *   npm run bench -- queue [--images N] [--size HxW] [--repeats N] [--jobs N] [--concurrency N] [--kills N]
 *                          [--server PROGRAM] [--only speeds,jobs,kills] [--out STEM]
 *
 * - speeds: images per second alone, with one worker and with two, interleaved; on a software adapter all of them share
 *   the processor, so that two workers are not twice as fast.
 * - jobs: many jobs of one tiny image each, with a net of one layer: jobs per second, processor time per image beside
 *   the command alone, memory of the server, of the worker and of the command that asks.
 * - kills: workers that are killed at random while they predict: results that are missing or doubled.
 *
 * Starts a redis-server or valkey-server of its own, whose file lies with the images in the system's temporary folder
 * (TMPDIR). Writes bench/results/queue-<adapter>.{json,md} at the default options, or what --out names.
 *
 *   TMPDIR=/dev/shm npm run bench -- queue --only jobs --jobs 1000000 --out bench/results/jobs
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeReport } from "./lib/files.mjs";
import { digits, markdownReport, markdownTable, textTable } from "./lib/table.mjs";
import { manyJobs } from "./queue/jobs.mjs";
import { randomKills } from "./queue/kills.mjs";
import { makeImages, makeWeights, startServer } from "./queue/processes.mjs";
import { speeds } from "./queue/speeds.mjs";

const OPTIONS = {
  images: { type: "string", default: "60" },
  size: { type: "string", default: "256x256" },
  repeats: { type: "string", default: "3" },
  jobs: { type: "string", default: "10000" },
  concurrency: { type: "string", default: "8" },
  kills: { type: "string", default: "20" },
  server: { type: "string", default: "redis-server" },
  only: { type: "string", default: "speeds,jobs,kills" },
};

const HEADER = ["what", "value", ""];
const pair = ([from, to]) => `${digits(from)} / ${digits(to)}`;

const speedRows = (speed) => [
  ["images/s, `fcn predict` alone", digits(speed.alone), ""],
  ["images/s, one worker", digits(speed.one), `${digits(speed.one / speed.alone)} of alone`],
  ["images/s, two workers on this machine", digits(speed.two), `${digits(speed.two / speed.alone)} of alone`],
];

const jobRows = (many, speed) => [
  ["jobs of one tiny image, with a net of one layer", String(many.jobs), `${digits(many.perSecond)} a second`],
  ["at a time on the worker", String(many.concurrency), ""],
  ["processor time an image of such a job, ms", digits(many.hostMs), `alone ${digits(many.aloneMs)}`],
  ...(speed
    ? [
        [
          "of it for the queue, of a chunk of ten seconds, ms an image",
          digits((many.hostMs - many.aloneMs) / (10 * speed.one)),
          "at the images/s of one worker",
        ],
      ]
    : []),
  ["jobs that wait or are at work at a time", digits(many.open), ""],
  ["bytes of the server a job in flight", digits(many.bytesPerOpen), "by MEMORY USAGE"],
  ["MiB of the server in the first and last quarter", pair(many.redis), "above one without jobs"],
  ["MiB of the worker in the first and last quarter", pair(many.worker), `at most ${digits(many.mostOfWorker)}`],
  ["MiB of the command that asks, at most", digits(many.mostOfAsking), ""],
  ["results, and those in the list of results", `${many.files}, ${many.listed}`, ""],
];

const killRows = (killed) => [
  ["workers killed at random", String(killed.kills), `${killed.images} images, a job each`],
  ["results, doubled, failed, files", [killed.results, killed.doubled, killed.failed, killed.files].join(", "), ""],
];

export async function main(argv) {
  const { values } = parseArgs({ args: argv, options: { ...OPTIONS, out: { type: "string" } } });
  const [images, repeats, jobs, concurrency, kills] = ["images", "repeats", "jobs", "concurrency", "kills"].map(
    (name) => Number(values[name]),
  );
  const wants = (part) => values.only.split(",").includes(part);
  const root = await mkdtemp(join(tmpdir(), "fcn-bench-queue-"));
  const server = await startServer(values.server, root);
  try {
    const adapter = await makeWeights(root);
    const size = values.size.split("x").map(Number);
    const shared = { ...server, root, images };
    const record = { adapter, server: values.server };
    const rows = [];
    if (wants("speeds")) {
      await makeImages(join(root, "images"), images, size);
      record.size = values.size;
      record.speed = await speeds({ ...shared, repeats });
      rows.push(...speedRows(record.speed));
    }
    if (wants("jobs")) {
      record.many = await manyJobs({ ...shared, jobs, concurrency });
      rows.push(...jobRows(record.many, record.speed));
    }
    if (wants("kills")) {
      // So many that none of the kills comes too late.
      const victims = 40 * kills;
      await makeImages(join(root, "victims"), victims, size);
      record.killed = await randomKills({ ...shared, kills, images: victims });
      rows.push(...killRows(record.killed));
    }
    console.log(textTable(HEADER, rows));
    const isDefault = Object.entries(OPTIONS).every(([name, { default: usual }]) => values[name] === usual);
    const head = [`adapter: ${adapter.description}`, `server: ${values.server}`];
    if (record.speed) head.push(`images: ${values.size}, fcn8s-small`);
    const command = ["npm run bench -- queue", ...argv].join(" ");
    const text = markdownReport("A queue", command, head, [markdownTable(HEADER, rows)]);
    if (isDefault || values.out) await writeReport(record, text, { kind: "queue", out: values.out });
  } finally {
    server.redis.disconnect();
    server.child.kill();
    await once(server.child, "close");
    await rm(root, { recursive: true, force: true });
  }
}
