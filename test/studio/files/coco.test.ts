import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fcn from "@fcn/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cocoJson } from "../../../studio/src/files/coco.js";
import { addClass, newSession, renameClass } from "../../../studio/src/session/commands.js";
import { photo, temporaryFolder, writeTree } from "../../fcn/data/trees.js";
import { propertySeed } from "../../support/property.js";

const SIZE = { height: 9, width: 12 };
const COLUMNS = 108;

const folder = await temporaryFolder("studio-coco");
let count = 0;

/** The labels that fcn reads from a COCO file for one image. */
async function readBack(json: Blob): Promise<{ classes: readonly string[]; labels: Uint8Array }> {
  const root = join(folder, String(count++));
  await writeTree(root, { "images/a.png": await photo(9, 12, 1).png().toBuffer() });
  await writeFile(join(root, "instances.json"), await json.text());
  const { classes, splits, remarks } = await fcn.data.open(root);
  expect(remarks.filter(({ level }) => level === "problem")).toEqual([]);
  const [sample] = (await Promise.all(Object.values(splits).map((split) => fcn.data.loadAll(split)))).flat();
  return { classes, labels: sample!.labels };
}

describe("cocoJson", () => {
  it("gives back any label map exactly, holes and void included", async () => {
    const { classes } = addClass(newSession(), "third");
    const label = fc.constantFrom(0, 1, 2, 255);
    const maps = fc.array(label, { minLength: COLUMNS, maxLength: COLUMNS });
    await fc.assert(
      fc.asyncProperty(maps, async (list) => {
        const labels = Uint8Array.from(list);
        const got = await readBack(await cocoJson([{ name: "a.png", labels, ...SIZE }], classes));
        expect(got.classes).toEqual(["background", "object", "third"]);
        expect(got.labels).toEqual(labels);
      }),
      { seed: propertySeed(), numRuns: 40 },
    );
  });

  it("has a category for each class where none is called background, which COCO readers put first", async () => {
    const session = newSession();
    const { classes } = renameClass(session, session.classes[0]!.id, "sky");
    const labels = Uint8Array.from({ length: COLUMNS }, (_, i) => (i % 12 < 5 ? 0 : 1));
    const got = await readBack(await cocoJson([{ name: "a.png", labels, ...SIZE }], classes));
    expect(got.classes).toEqual(["background", "sky", "object"]);
    expect(got.labels).toEqual(labels.map((value) => value + 1));
  });

  it("writes outlines, areas and boxes in pixels", async () => {
    const labels = new Uint8Array(COLUMNS);
    for (const i of [14, 15, 26, 27, 38, 39]) labels[i] = 1;
    const json = JSON.parse(await (await cocoJson([{ name: "a", labels, ...SIZE }], newSession().classes)).text());
    expect(json.images).toEqual([{ id: 1, file_name: "a.png", height: 9, width: 12 }]);
    expect(json.categories).toEqual([{ id: 2, name: "object" }]);
    const [{ segmentation, ...about }] = json.annotations;
    expect(json.annotations).toHaveLength(1);
    expect(about).toEqual({ id: 1, image_id: 1, category_id: 2, area: 6, bbox: [2, 1, 2, 3], iscrowd: 0 });
    expect([...segmentation[0]].sort()).toEqual([2, 1, 4, 1, 4, 4, 2, 4].sort());
  });
});
