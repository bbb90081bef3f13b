import { generator, uniform } from "../lib/random.mjs";

export const [HEIGHT, WIDTH, CLASSES] = [320, 480, 21];

/** The image of 320x480 that every process predicts. */
export const makeImage = () => ({
  shape: [1, 3, HEIGHT, WIDTH],
  data: uniform(generator(11), 3 * HEIGHT * WIDTH),
});
