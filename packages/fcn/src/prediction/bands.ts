import { slice, type Tensor } from "@fcn/tensor";

/** Rows [top, top + height) of the probabilities of one image. */
export interface Band {
  readonly top: number;
  readonly height: number;
  readonly classes: number;
  /** [classes, height, W] */
  readonly values: Float32Array;
}

/** Receives the probabilities of one image, band by band. */
export interface BandSink {
  write(band: Band): Promise<void>;
}

const MIB = 2 ** 20;
const BAND_BYTES = 16 * MIB;
/** Most bytes that may be read from the device and not yet taken by a sink. */
const MOST_UNDER_WAY = 4 * BAND_BYTES;

/**
 * Reads strips of probabilities in bands, so that few bytes are in transit to the sinks, however large the images and
 * however many their classes.
 */
export class BandReader {
  readonly #running = new Map<Promise<void>, number>();
  readonly #all: Promise<void>[] = [];

  /** @param sinks one per image of the strips */
  constructor(private readonly sinks: readonly BandSink[]) {}

  /** Requests a strip, and waits while too much is in transit. Throws what a sink throws. */
  async read({ top, height, classes }: Omit<Band, "values">, probabilities: Tensor): Promise<void> {
    const rowBytes = (probabilities.size / height) * 4;
    const rows = Math.max(1, Math.floor(BAND_BYTES / rowBytes));
    for (let begin = 0; begin < height; begin += rows) {
      const end = Math.min(begin + rows, height);
      await this.#makeRoom((end - begin) * rowBytes);
      const isWhole = end - begin === height;
      const part = isWhole ? probabilities : slice(probabilities, [null, null, [begin, end]]);
      this.#start(part, { top: top + begin, height: end - begin, classes });
      if (!isWhole) part.dispose();
    }
  }

  /** Waits until the sinks have taken everything. */
  async done(): Promise<void> {
    await Promise.all(this.#all);
  }

  #start(part: Tensor, place: Omit<Band, "values">): void {
    const taken = part.data().then(async (data) => {
      const size = data.length / this.sinks.length;
      const valuesOf = (n: number) => (data as Float32Array).subarray(n * size, (n + 1) * size);
      await Promise.all(this.sinks.map((sink, n) => sink.write({ ...place, values: valuesOf(n) })));
      this.#running.delete(taken);
    });
    // The consumer of the predictions or the next band awaits this. Until then, a rejection must not count as
    // unhandled.
    taken.catch(() => undefined);
    this.#running.set(taken, part.size * 4);
    this.#all.push(taken);
  }

  async #makeRoom(bytes: number): Promise<void> {
    const underWay = (): number => [...this.#running.values()].reduce((sum, size) => sum + size, 0);
    while (this.#running.size > 0 && underWay() + bytes > MOST_UNDER_WAY) await this.#running.keys().next().value;
  }
}
