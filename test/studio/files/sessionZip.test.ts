import { describe, expect, it } from "vitest";
import { addImages, addStroke, newId, newSession } from "../../../studio/src/session/commands.js";
import { photo } from "../../fcn/data/trees.js";
import { onPage, runOn } from "../../support/page.js";
import { zip } from "../../support/zip.js";
import { area, blank, line } from "../session/sessions.js";
import type { Base64, Result, SentNet, Whole } from "./filesExercise.js";

const EXERCISE = "../studio/files/filesExercise";
const base64 = (bytes: Uint8Array): Base64 => Buffer.from(bytes).toString("base64");

interface RoundTrip extends Whole {
  readonly isSession: boolean;
  readonly settings: object;
  readonly net: SentNet | undefined;
}

async function makeWhole(): Promise<Whole> {
  let session = addImages(newSession(), [blank(20, 30, "a b.png"), blank(20, 30, "a b.jpg")]);
  const [one, two] = session.images;
  const [first, second] = session.classes.map(({ id }) => id) as [string, string];
  const strokes = [
    { image: one!, classId: first, shape: line([[1 / 3, Math.PI]], 5.5) },
    { image: two!, classId: second, shape: area([[1, 2], [10, 3], [4, 12.25]]) }, // biome-ignore format: a ring
    { image: one!, classId: null, shape: line([[4, 4], [9, 9]], 2) }, // biome-ignore format: a line
  ];
  for (const { image, ...stroke } of strokes) session = addStroke(session, image.id, { id: newId(), ...stroke });
  const file = async (seed: number): Promise<Base64> => base64(await photo(20, 30, seed).png().toBuffer());
  return { session, files: { [one!.id]: await file(1), [two!.id]: await file(2) } };
}

describe("sessionZip", () => {
  it("brings back a whole session as it was: strokes, images, settings and net", async () => {
    const whole = await makeWhole();
    const weights = base64(Uint8Array.from({ length: 1000 }, (_, i) => i % 251));
    const net: SentNet = { weights, optimizer: base64(Uint8Array.of(1, 2, 3)), step: 60, classIds: ["a", "b"] };
    const untrained: SentNet = { weights, step: 0, classIds: [] };
    const [withNet, withNew, without] = await onPage(async (page) => [
      await runOn<RoundTrip>(page, EXERCISE, "sessionRoundTrip", whole, net),
      await runOn<RoundTrip>(page, EXERCISE, "sessionRoundTrip", whole, untrained),
      await runOn<RoundTrip>(page, EXERCISE, "sessionRoundTrip", whole),
    ]);
    for (const got of [withNet!, withNew!, without!]) {
      expect(got.session).toEqual(whole.session);
      expect(got.files).toEqual(whole.files);
      expect(got.isSession).toBe(true);
      expect(got.settings).toEqual({ net: "own", workSide: 384, augment: false });
    }
    expect(withNet!.net).toEqual(net);
    expect(withNew!.net).toEqual(untrained);
    expect(without!.net).toBeUndefined();
  });

  it("says in one sentence what is no session", async () => {
    const list = (value: unknown): Uint8Array =>
      zip({ "studio.json": { data: Buffer.from(JSON.stringify(value)), deflate: true } });
    const { session } = await makeWhole();
    const settings = { net: "own", workSide: 384, augment: false };
    const whole = { format: "fcn-studio", version: 1, session, settings };
    const zips: readonly (readonly [Uint8Array, string])[] = [
      [Buffer.from("text"), '"session.zip" is not a zip.'],
      [zip({ "a.txt": { data: Buffer.from("a") } }), "it holds no studio.json"],
      [list({}), "its studio.json is that of something else"],
      [list(null), "its studio.json is that of something else"],
      [list({ ...whole, version: 2 }), "it is of version 2, and this page reads 1"],
      [list({ ...whole, session: { ...session, classes: {} } }), "it has no list of classes"],
      [list({ ...whole, settings: {} }), "the net of its settings is undefined"],
      [list(whole), 'the image "a-b.png" is missing in it'],
    ];
    const sent = zips.map(([bytes]) => base64(bytes));
    const results = await onPage((page) => runOn<Result<boolean>[]>(page, EXERCISE, "readSessionZips", sent));
    for (const [i, { code, message }] of results.entries()) {
      const why = zips[i]![1];
      expect(code).toBe("invalid-data-set");
      expect(message).toBe(why.startsWith('"session') ? why : `"session.zip" is no session of the studio: ${why}.`);
    }
  });
});
