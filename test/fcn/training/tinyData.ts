import { greyPng, rgbPng, writeTree } from "../data/trees.js";

export const TINY_CLASSES = ["ground", "ball", "wall"];
const COLOURS = [0x3c6e3c, 0xc83c32, 0x3c3cc8];
const SIZE = 32;

/** Writes a folder of images of a ball before a wall, in colours that tell the classes, and returns its path. */
export async function writeTinyData(root: string, images = 10): Promise<string> {
  const files: Record<string, Uint8Array | string> = { "classes.json": JSON.stringify(TINY_CLASSES) };
  for (let i = 0; i < images; i++) {
    const [cx, cy] = [8 + ((i * 7) % 15), 8 + ((i * 11) % 15)];
    const label = (x: number, y: number): number => (Math.hypot(x - cx, y - cy) < 8 ? 1 : x > 26 ? 2 : 0);
    files[`images/${i}.png`] = rgbPng(SIZE, SIZE, (x, y) => (COLOURS[label(x, y)] ?? 0) + ((x * (i + 3) + y * 5) % 32));
    files[`masks/${i}.png`] = greyPng(SIZE, SIZE, label);
  }
  await writeTree(root, files);
  return root;
}
