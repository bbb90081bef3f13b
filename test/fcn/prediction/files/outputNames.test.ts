import { expect, it } from "vitest";
import { S3Place } from "../../../../packages/fcn/src/places/s3.js";
import { Manifest } from "../../../../packages/fcn/src/prediction/files/manifest.js";
import { checkOwn } from "../../../../packages/fcn/src/prediction/files/outputNames.js";
import { writeWithDigest } from "../../../../packages/fcn/src/prediction/files/written.js";
import { bytes, useServers } from "../../../support/places.js";

const servers = useServers();
const requests = (): number => servers.s3.log().split("\n").length;

it("finds the files in the way of many results in a bucket with a few requests", async () => {
  const place = new S3Place("s3://bucket/results");
  const names = Array.from({ length: 300 }, (_, i) => `${i}.png`);
  const own = await writeWithDigest(place, "7.png", bytes("own"));
  await place.write("none of them.png", bytes("x"));
  const manifest = await Manifest.read(place);
  await manifest.settle([own]);
  const before = requests();
  await checkOwn(place, names, await Manifest.read(place));
  expect(requests() - before).toBeLessThan(10);
  await place.write("8.png", bytes("of another"));
  await expect(checkOwn(place, names, await Manifest.read(place))).rejects.toMatchObject({
    code: "file-exists",
    message: "predict: s3://bucket/results/8.png exists and was not written by fcn predict, or was changed since",
  });
  await place.write("7.png", bytes("one"));
  await expect(checkOwn(place, names, await Manifest.read(place))).rejects.toThrow(
    "7.png exists and was not written by fcn predict, or was changed since, and 1 more",
  );
});
