import { type data, predict } from "@fcn/core";
import { heldBackOf } from "../session/heldBack.js";
import { type PaintedLabels, rasterise, VOID } from "../session/raster.js";
import type { PaintClass, Session } from "../session/types.js";
import type { HeldBackScores } from "./heldBackScores.js";
import type { HeldBack } from "./learner.js";
import type { OwnNet } from "./nets.js";
import type { Lesson } from "./patches.js";
import type { WorkImages } from "./workImages.js";

/** An image, and what is painted on it, at the size of the work. */
interface Painted extends PaintedLabels {
  readonly id: string;
  readonly image: data.RasterImage;
}

/** Images that a net is scored on at a time, so that steps go on soon. */
const EXAMS = 3;

/** What a net may learn from a session, and what it is scored on. */
export class Lessons {
  readonly #known = new Map<string, { readonly key: string; readonly made: Painted }>();
  #painted: readonly Painted[] = [];
  #examined = 0;
  /** The classes that there is something to learn of. */
  #learned: ReadonlySet<string> = new Set();

  constructor(private readonly images: WorkImages) {}

  /**
   * Takes the newest strokes. Only images that changed are painted anew. Returns the classes that had something to learn
   * from before and have nothing left.
   */
  async update(session: Session): Promise<readonly PaintClass[]> {
    const held = heldBackOf(session);
    const classes = session.classes.map(({ id }) => id).join();
    const painted: Painted[] = [];
    for (const source of session.images) {
      if (source.strokes.length === 0) continue;
      // Strokes never change, and sessions come as copies.
      const key = `${classes};${source.strokes.map(({ id }) => `${id}${held.has(id) ? " held" : ""}`).join()}`;
      const known = this.#known.get(source.id);
      if (known?.key === key) {
        painted.push(known.made);
        continue;
      }
      const image = await this.images.get(source.id);
      const { height, width } = image;
      const made = { id: source.id, image, ...rasterise(source, session.classes, { height, width, heldBack: held }) };
      this.#known.set(source.id, { key, made });
      painted.push(made);
    }
    this.#painted = painted;
    const ids = new Set(session.images.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    this.images.keep(ids);
    const { labels } = this;
    const emptied = session.classes.filter(({ id }, label) => this.#learned.has(id) && !labels.has(label));
    this.#learned = new Set(session.classes.flatMap(({ id }, label) => (labels.has(label) ? [id] : [])));
    return emptied;
  }

  /** What the net learns from. */
  get lessons(): readonly Lesson[] {
    return this.#painted.filter(({ train }) => isPainted(train)).map(({ image, train }) => ({ image, labels: train }));
  }

  /** Scores a net on some of the images with strokes that are held back; the others count as they were seen last. */
  async examine({ model, metadata }: OwnNet, scores: HeldBackScores): Promise<HeldBack | undefined> {
    const exams = this.#painted.filter(({ held }) => isPainted(held));
    scores.keep(new Set(exams.map(({ id }) => id)));
    for (let i = 0; i < Math.min(EXAMS, exams.length); i++) {
      const { id, image, held } = exams[this.#examined++ % exams.length] as Painted;
      const { labels } = await predict({ model, metadata }, image);
      scores.set(id, held, labels);
    }
    return scores.total(metadata.classes.length);
  }

  /** The labels of the classes that the net can learn. */
  get labels(): ReadonlySet<number> {
    const found = new Set(this.#painted.flatMap(({ train }) => [...new Set(train)]));
    found.delete(VOID);
    return found;
  }
}

const isPainted = (labels: Uint8Array): boolean => labels.some((label) => label !== VOID);
