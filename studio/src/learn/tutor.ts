import type { Device } from "@fcn/tensor";
import type { PaintClass } from "../session/types.js";
import type { KeptNet, Store } from "../store/store.js";
import { HeldBackScores } from "./heldBackScores.js";
import type { LearnEvent } from "./learner.js";
import type { Lessons } from "./lessons.js";
import { encodeNet, type StartNet } from "./netFiles.js";
import { type OwnNet, renamed, sameClasses } from "./nets.js";
import { noteOf } from "./notes.js";
import { Patches, type PatchOptions } from "./patches.js";
import type { Screen } from "./screen.js";
import { type Reading, Trainee } from "./trainee.js";
import type { Turns } from "./turns.js";
import type { WorkImages } from "./workImages.js";

/** What a net learns with and from. */
export interface TutorOptions {
  readonly device: Device;
  readonly store: Store;
  readonly turns: Turns;
  readonly images: WorkImages;
  readonly lessons: Lessons;
  readonly screen: Screen;
  readonly patches: Omit<PatchOptions, "preprocessing" | "seed">;
  readonly learningRate: number;
  readonly tell: (event: LearnEvent) => void;
}

/** Milliseconds between two times of saving, at least, and how many times as long as saving takes. */
const SAVE_EVERY = { least: 5000, times: 20 };

/** Trains the net of the session, scores it, shows what it says, and saves it now and then. */
export class Tutor {
  readonly trainee: Trainee;
  /** How the patches are cut that the net learns from. */
  readonly patchOptions: PatchOptions;
  readonly #patches: Patches;
  readonly #scores = new HeldBackScores();
  #net: OwnNet;
  #saveAt = 0;
  #couldSave = true;
  /** Whether a step was made. */
  hasLearned = false;

  constructor(
    { net, from }: StartNet,
    readonly options: TutorOptions,
  ) {
    const { turns, learningRate } = options;
    this.#net = net;
    const seed = 1 + (from?.step ?? 0);
    this.patchOptions = { ...options.patches, preprocessing: net.metadata.preprocessing, seed };
    this.#patches = new Patches(this.patchOptions);
    const onReading = (reading: Reading): Promise<void> => this.#look(reading);
    this.trainee = new Trainee({ net, patches: this.#patches, turns, learningRate, from, onReading });
  }

  get net(): OwnNet {
    return this.#net;
  }

  /** Takes the newest strokes, and names and colours of the classes, which are those that the net scores. */
  follow(classes: readonly PaintClass[]): void {
    this.#net = renamed(this.#net, classes);
    this.#patches.lessons = this.options.lessons.lessons;
  }

  fits(classes: readonly PaintClass[]): boolean {
    return sameClasses(this.#net, classes);
  }

  /** Does something with the net, as it is shown and given away. */
  use<Result>(work: (net: OwnNet) => Promise<Result>): Promise<Result> {
    return this.options.turns.run(() => this.trainee.steadily(() => work(this.#net)));
  }

  /** Shows what the net says; `begin` is called when its turn has come. */
  draw(begin: () => void): Promise<void> {
    return this.use(() => {
      begin();
      return this.#draw();
    });
  }

  /** The net and its training as they can be kept. */
  keep(): Promise<KeptNet> {
    return this.use((net) => encodeNet(net, this.trainee.state));
  }

  /** Writes the net to the store. A store that is full or denied is told once. */
  save(): Promise<void> {
    return this.use(() => this.#save());
  }

  async #draw(): Promise<void> {
    const { screen, images, tell } = this.options;
    const imageId = await screen.draw(this.#net, images);
    if (imageId !== null) tell({ kind: "shown", imageId });
  }

  async #save(): Promise<void> {
    const { store, tell } = this.options;
    const start = performance.now();
    const kept = await encodeNet(this.#net, this.trainee.state);
    try {
      await store.putNet(kept);
      tell({ kind: "saved", step: kept.step });
      this.#couldSave = true;
    } catch (error) {
      if (this.#couldSave) tell({ kind: "note", note: noteOf(error) });
      this.#couldSave = false;
    }
    const now = performance.now();
    this.#saveAt = now + Math.max(SAVE_EVERY.least, SAVE_EVERY.times * (now - start));
    this.onKept(kept);
  }

  /** Called with the net each time that it was saved. */
  onKept: (kept: KeptNet) => void = () => {};

  async #look({ step, loss, stepsPerSecond }: Reading): Promise<void> {
    const { device, lessons, screen, tell } = this.options;
    this.hasLearned = true;
    const heldBack = await lessons.examine(this.#net, this.#scores);
    tell({ kind: "progress", step, loss, stepsPerSecond, heldBack, bytes: device.memory().reservedBytes });
    if (screen.isDue) await this.#draw();
    if (performance.now() >= this.#saveAt) await this.#save();
  }
}
