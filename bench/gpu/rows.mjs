/** Convolutions of VGG16, ResNet and MobileNet at 320x480, each with every tile that the plans may choose here. */
import { createDevice } from "@fcn/tensor";
import { geometryOf, plansByTile, tileName } from "../lib/convolutions.mjs";
import { openRaw } from "../lib/raw.mjs";
import { digits, markdownTable, percent } from "../lib/table.mjs";

const conv = (k, inC, outC, h, w, more = {}) => ({
  channels: [inC, outC],
  size: [h, w],
  kernel: [k, k],
  padding: [k >> 1, k >> 1],
  ...more,
});
/** Those that say most first: what is not reached in time is left out. */
const ROWS = [
  conv(3, 64, 64, 80, 120),
  conv(3, 512, 512, 20, 30),
  conv(3, 128, 128, 160, 240),
  conv(1, 256, 64, 80, 120),
  conv(7, 3, 64, 320, 480, { stride: [2, 2] }),
  conv(3, 96, 96, 80, 120, { groups: 96 }),
  conv(3, 3, 64, 320, 480),
  conv(3, 256, 256, 80, 120),
  conv(3, 64, 64, 320, 480),
  conv(1, 512, 2048, 10, 15),
  conv(1, 512, 21, 10, 15),
  conv(3, 512, 512, 40, 60),
  conv(7, 512, 4096, 10, 15, { padding: [0, 0] }),
];

const titleOf = ({ channels: [inC, outC], size, kernel, stride, groups }) =>
  `${kernel[0]}x${kernel[0]}${stride ? " stride 2" : ""} ${inC}->${outC}${groups ? " depthwise" : ""}, ${size.join("x")}`;

/** Bytes of the operands of each pass. */
function bytesOf(pass, g) {
  const large = 4 * g.n * g.inC * g.inH * g.inW;
  const small = 4 * g.n * g.outC * g.outH * g.outW;
  const weight = (4 * g.outC * g.inC * g.kernelH * g.kernelW) / g.groups;
  if (pass === "forward") return { x: large, w: weight, b: 4 * g.outC, y: small };
  if (pass === "transposed") return { x: small, w: weight, y: large };
  return { x: large, dy: small, dw: weight };
}

async function time(raw, pass, g, plan) {
  try {
    return { ms: await raw.measure(await raw.plan(plan, bytesOf(pass, g))) };
  } catch (error) {
    return { failure: error.message };
  } finally {
    raw.free();
  }
}

export async function run({ result, isOver, software, sections }) {
  const device = await createDevice({ quiet: true });
  const { capabilities } = device;
  device.destroy();
  result.peakGflops = sections.peaks?.gflops ?? 0;
  result.rows = [];
  let raw = await openRaw();
  try {
    for (const sizes of software ? ROWS.slice(0, 6) : ROWS) {
      const g = geometryOf(sizes);
      const flop = (2 * g.n * g.outC * g.outH * g.outW * g.kernelH * g.kernelW * g.inC) / g.groups;
      for (const pass of ["forward", "transposed", "weight gradient"]) {
        const row = { title: titleOf(sizes), pass, flop, tiles: [] };
        result.rows.push(row);
        for (const { tile, plan } of plansByTile(pass, g, capabilities)) {
          if (isOver()) {
            result.cutOff = true;
            return;
          }
          row.tiles.push({ tile: tileName(tile), ...(await time(raw, pass, g, plan)) });
          if (row.tiles.at(-1).failure === undefined) continue;
          raw.close();
          raw = await openRaw();
        }
      }
    }
  } finally {
    raw.close();
  }
}

const HEADER = ["convolution", "pass", "rules' tile", "ms", "GFLOP/s", "of peak", "fastest", "ms", "rules / fastest"];

export function lines({ rows = [], peakGflops: peak, cutOff }) {
  const timed = (row) => row.tiles.filter(({ ms }) => ms !== undefined);
  const cells = rows
    .filter((row) => row.tiles[0]?.ms !== undefined)
    .map((row) => {
      const [rule] = row.tiles;
      const best = timed(row).reduce((a, b) => (b.ms < a.ms ? b : a));
      const gflops = row.flop / rule.ms / 1e6;
      const rate = [digits(gflops), peak > 0 ? percent(gflops / peak) : ""];
      return [
        row.title,
        row.pass,
        rule.tile,
        digits(rule.ms),
        ...rate,
        best.tile,
        digits(best.ms),
        digits(rule.ms / best.ms),
      ];
    });
  const failed = rows.flatMap((row) =>
    row.tiles
      .filter(({ failure }) => failure !== undefined)
      .map(({ tile, failure }) => `* FAILED: ${row.title}, ${row.pass}, ${tile}: ${failure.split("\n")[0]}`),
  );
  return [markdownTable(HEADER, cells), "", ...failed, ...(cutOff ? ["* the time was over before the last row"] : [])];
}
