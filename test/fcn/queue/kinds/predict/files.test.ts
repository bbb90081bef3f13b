import { join } from "node:path";
import { expect, it } from "vitest";
import { LocalPlace } from "../../../../../packages/fcn/src/places/local.js";
import type { ImageReport } from "../../../../../packages/fcn/src/prediction/files/run.js";
import { RunFiles } from "../../../../../packages/fcn/src/queue/kinds/predict/files.js";
import { temporaryFolder } from "../../../data/trees.js";

const root = await temporaryFolder("fcn-run-files");

/** A folder whose files are never there as a whole. */
class Pieces extends LocalPlace {
  override read(): never {
    throw new Error("the whole may be longer than a string can be");
  }
}

it("reads a report line by line, in pieces that end anywhere", async () => {
  const files = new RunFiles(new Pieces(join(root, "many")), "a");
  const reports = Array.from({ length: 3000 }, (_, i): ImageReport => {
    const input = `bücket/${"é".repeat(i % 50)}/${i}\n.png`;
    return { input, height: i, width: 1, tiles: 1, classes: [], files: { labels: `${input}.png` } };
  });
  await files.writeReport(
    (async function* () {
      yield* reports;
    })(),
  );
  expect(await files.readReport()).toEqual(reports);
  await files.removeReport();
  expect(await files.readReport()).toBeUndefined();
});
