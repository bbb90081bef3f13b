import * as fcn from "@fcn/core";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { newSession } from "../../../studio/src/session/commands.js";
import { photo } from "../../fcn/data/trees.js";
import { onPage, runOn } from "../../support/page.js";
import type { Base64, Result } from "./filesExercise.js";

const EXERCISE = "../studio/files/filesExercise";
const SIZE = { height: 30, width: 50 };
const LABELS = Array.from({ length: 1500 }, (_, i) => [0, 1, 255][i % 3]!);

interface Masks {
  readonly mask: Result<Base64>;
  readonly overlay: Result<Base64>;
}

describe("maskPng and overlayPng", () => {
  it("show labels in the colours of the classes, and the image where there are none", async () => {
    const { classes } = newSession();
    const file = await photo(30, 50, 3).png().toBuffer();
    const { mask, overlay } = await onPage((page) =>
      runOn<Masks>(page, EXERCISE, "masksOf", file.toString("base64"), LABELS, SIZE, classes),
    );
    const bytes = Buffer.from(mask.value!, "base64");
    const plane = await fcn.data.decodeMask("mask.png", bytes, fcn.data.indexRule(2));
    expect(Array.from(plane.labels)).toEqual(LABELS);
    expect(decode(bytes).palette?.slice(0, 2)).toEqual(classes.map(({ colour }) => [...colour]));
    const image = decode(file);
    const shown = decode(Buffer.from(overlay.value!, "base64"));
    expect([shown.width, shown.height, shown.channels]).toEqual([50, 30, 4]);
    for (const [i, label] of LABELS.entries()) {
      for (let k = 0; k < 3; k++) {
        const own = image.data[3 * i + k]!;
        const want = label === 255 ? own : (own + classes[label]!.colour[k]!) / 2;
        expect(Math.abs(shown.data[4 * i + k]! - want)).toBeLessThanOrEqual(1);
      }
      expect(shown.data[4 * i + 3]).toBe(255);
    }
  });

  it("refuse labels of another size", async () => {
    const file = await photo(20, 50, 3).png().toBuffer();
    const { overlay } = await onPage((page) =>
      runOn<Masks>(page, EXERCISE, "masksOf", file.toString("base64"), LABELS, SIZE, newSession().classes),
    );
    expect(overlay.message).toBe("There are 50 x 30 labels for an image of 50 x 20 pixels.");
  });
});
