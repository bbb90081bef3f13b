import { HeldBackScores } from "./heldBackScores.js";
import type { LearnEvent, Stride } from "./learner.js";
import { sideBySide } from "./nets.js";
import { type Lesson, Patches } from "./patches.js";
import { Screen } from "./screen.js";
import { type Reading, Trainee } from "./trainee.js";
import type { Tutor } from "./tutor.js";

const STRIDES = [32, 16, 8] as const;

export type Canvases = Readonly<Record<Stride, OffscreenCanvas>>;

/** One of the nets side by side. */
interface Compared {
  readonly trainee: Trainee;
  readonly patches: Patches;
  readonly screen: Screen;
}

/**
 * FCN-32s, 16s and 8s that learn side by side from the same patches, a step each in turn, and are shown on a canvas
 * each: figure 4 of the paper, live.
 */
export class Comparison {
  readonly #nets: readonly Compared[];

  /** @param tutor of the net from whose backbone all three begin */
  constructor(tutor: Tutor, canvases: Canvases, tell: (event: LearnEvent) => void) {
    const { device, turns, learningRate, lessons, images } = tutor.options;
    const nets = sideBySide(tutor.net, device);
    this.#nets = STRIDES.map((stride) => {
      const net = nets[stride];
      const screen = new Screen();
      screen.canvas = canvases[stride];
      const scores = new HeldBackScores();
      const onReading = async ({ step, loss }: Reading): Promise<void> => {
        tell({ kind: "compared", stride, step, loss, heldBack: await lessons.examine(net, scores) });
        await screen.draw(net, images);
      };
      const patches = new Patches(tutor.patchOptions);
      return { trainee: new Trainee({ net, patches, turns, learningRate, onReading }), patches, screen };
    });
  }

  /** What the next batches are cut from. */
  set lessons(lessons: readonly Lesson[]) {
    for (const { patches } of this.#nets) patches.lessons = lessons;
  }

  /** The image that is shown. */
  set imageId(imageId: string | null) {
    for (const { screen } of this.#nets) screen.imageId = imageId;
  }

  set isOn(isOn: boolean) {
    for (const { trainee } of this.#nets) trainee.isOn = isOn;
  }

  /** Trains until `end`. Rejects with what ends it otherwise. */
  async run(): Promise<void> {
    await Promise.all(this.#nets.map(({ trainee }) => trainee.run()));
  }

  /** Ends the training, and frees the nets. */
  async end(): Promise<void> {
    for (const { trainee } of this.#nets) await trainee.stop();
    for (const { trainee } of this.#nets) trainee.net.model.dispose();
  }
}
