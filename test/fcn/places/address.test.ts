import { sep } from "node:path";
import { describe, expect, it } from "vitest";
import { splitAddress } from "../../../packages/fcn/src/places/address.js";
import { openPlace } from "../../../packages/fcn/src/places/open.js";

describe("an address", () => {
  it.each([
    ["s3://bucket/a/b.tif", "s3://bucket/a", "b.tif"],
    ["s3://bucket/b.tif", "s3://bucket", "b.tif"],
    ["s3://bucket/a b?c#d.tif", "s3://bucket", "a b?c#d.tif"],
    ["https://host:8/a%20b/c%20d.png?x=1", "https://host:8/a%20b?x=1", "c d.png"],
    ["a/b.png", "a", "b.png"],
    ["b.png", ".", "b.png"],
    ["/b.png", "/", "b.png"],
    ...(sep === "/" ? [["/a\\b/c\\d.png", "/a\\b", "c\\d.png"]] : []),
    ["/12:30/a:b.png", "/12:30", "a:b.png"],
  ])("%s is split into its place and a name", async (address, place, name) => {
    expect(splitAddress(address)).toEqual({ place, name });
    expect((await openPlace(place)).addressOf(name)).toBe(address);
  });

  it("of another kind is refused", async () => {
    for (const address of [
      "ftp://host/a",
      "file:///etc/passwd",
      "gs://bucket/a",
      "https:/host/a",
      "data:,x",
      "s3:/b/x",
    ]) {
      await expect(openPlace(address), address).rejects.toMatchObject({ code: "invalid-argument" });
    }
    for (const address of ["s3://", "s3://user:pass@bucket/a", "http://", "https://%/"]) {
      await expect(openPlace(address), address).rejects.toMatchObject({ code: "invalid-argument" });
    }
    for (const address of ["s3://bucket/../a", "s3://bucket/a/./b/"]) {
      await expect(openPlace(address)).rejects.toMatchObject({
        ...{ code: "invalid-argument", message: `${address}: it has "." or ".." for a part` },
      });
    }
    expect(() => splitAddress("s3://bucket/folder/")).toThrow(/^s3:\/\/bucket\/folder\/: it names no file$/);
  });
});
