import { join } from "node:path";
import { data } from "@fcn/core";
import { encode } from "fast-png";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { greyPng, jpeg, photo, temporaryFolder, writeTree } from "../trees.js";

const pixels = async (image: Sharp): Promise<Uint8Array> => new Uint8Array(await image.removeAlpha().raw().toBuffer());

describe("decodeImage", () => {
  it("gives the pixels of an RGB image, of one with alpha and of one with 16 bits", async () => {
    const want = await pixels(photo(20, 30, 1));
    const files = [
      await photo(20, 30, 1).png().toBuffer(),
      await photo(20, 30, 1).ensureAlpha(0.3).png().toBuffer(),
      encode({ height: 20, width: 30, channels: 3, depth: 16, data: Uint16Array.from(want, (v) => v * 257) }),
      await photo(20, 30, 1).webp({ lossless: true }).toBuffer(),
    ];
    for (const file of files) {
      const { image, orientation } = await data.decodeImage("a", new Uint8Array(file));
      expect([image.height, image.width, image.channels, orientation]).toEqual([20, 30, 3, 1]);
      expect(image.data).toEqual(want);
    }
  });

  it("brings grey and CMYK to RGB", async () => {
    const grey = await data.decodeImage(
      "a",
      greyPng(2, 3, (x, y) => 100 * y + x),
    );
    expect(grey.image.channels).toBe(3);
    expect([...grey.image.data]).toEqual([0, 1, 2, 100, 101, 102].flatMap((v) => [v, v, v]));
    const flat = sharp({ create: { width: 8, height: 8, channels: 3, background: { r: 200, g: 60, b: 40 } } });
    const cmyk = await flat.toColourspace("cmyk").jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe("cmyk");
    const { image } = await data.decodeImage("a", new Uint8Array(cmyk));
    [200, 60, 40].forEach((value, c) => {
      expect(Math.abs((image.data[c] as number) - value)).toBeLessThan(40);
    });
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("turns EXIF orientation %i upright", async (orientation) => {
    const file = await photo(20, 30, 2).withMetadata({ orientation }).png().toBuffer();
    const { image, stored, orientation: told } = await data.decodeImage("a", new Uint8Array(file));
    const upright = await pixels(sharp(file).autoOrient());
    expect(told).toBe(orientation);
    expect(stored).toEqual({ height: 20, width: 30 });
    expect([image.height, image.width]).toEqual(orientation > 4 ? [30, 20] : [20, 30]);
    expect(image.data).toEqual(upright);
  });

  it("refuses a PNG of few bytes whose header claims more pixels than they can hold", async () => {
    const claim = new Uint8Array(greyPng(4, 4, () => 1));
    new DataView(claim.buffer).setUint32(16, 16_000_000);
    await expect(data.decodeImage("claim.png", claim)).rejects.toMatchObject({
      code: "corrupt-file",
      message: `claim.png: it is cut off or damaged: ${claim.length} bytes cannot hold 4x16000000 pixels`,
    });
    const flat = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: "#000" } })
      .png({ compressionLevel: 9 })
      .toBuffer();
    expect((await data.decodeImage("flat.png", new Uint8Array(flat))).image.width).toBe(4000);
  });

  it("names files that are cut off, empty or no images", async () => {
    const whole = await jpeg(64, 64, 3);
    await expect(data.decodeImage("cut.jpg", whole.subarray(0, whole.length / 2))).rejects.toThrow(
      /^cut\.jpg: the image is cut off or damaged/,
    );
    await expect(data.decodeImage("a.jpg", new Uint8Array(50))).rejects.toMatchObject({ code: "unsupported-file" });
    const root = await temporaryFolder("image");
    await writeTree(root, { "empty.jpg": "", "m.png": greyPng(2, 2, () => 0) });
    const item = (file: string): data.SampleItem => ({
      name: "x",
      image: [{ file: join(root, file), as: "rgb" }],
      labels: { kind: "png", file: join(root, "m.png"), rule: data.indexRule(1) },
    });
    await expect(data.loadItem(item("empty.jpg"))).rejects.toThrow("empty.jpg: it is empty (0 bytes)");
    await expect(data.loadItem(item("absent.jpg"))).rejects.toThrow("absent.jpg: it does not exist");
    await expect(data.loadItem(item("."))).rejects.toThrow("it is a folder, not a file");
  });
});
