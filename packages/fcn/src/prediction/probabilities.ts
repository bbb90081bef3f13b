import { io } from "@fcn/tensor";
import type { Band, BandSink } from "./bands.js";

interface Size {
  readonly height: number;
  readonly width: number;
}

/** Calls `put` with each class's rows in a band and the index of the first of them in [classes, H, W]. */
function eachPlane({ top, height, classes, values }: Band, size: Size, put: (rows: Float32Array, at: number) => void) {
  const rows = height * size.width;
  for (let c = 0; c < classes; c++) {
    put(values.subarray(c * rows, (c + 1) * rows), (c * size.height + top) * size.width);
  }
}

/** Probabilities in memory. */
export class HostProbabilities implements BandSink {
  #array: io.HostArray | undefined;

  constructor(private readonly size: Size) {}

  /** float32 [classes, H, W]; undefined before the first band. */
  get array(): io.HostArray | undefined {
    return this.#array;
  }

  async write(band: Band): Promise<void> {
    const { height, width } = this.size;
    const shape = [band.classes, height, width];
    this.#array ??= { dtype: "float32", shape, data: new Float32Array(band.classes * height * width) };
    const data = this.#array.data as Float32Array;
    eachPlane(band, this.size, (rows, at) => data.set(rows, at));
  }
}

/** Probabilities in a `.npy` file. Only what is in transit is in memory (Node). */
export class NpyProbabilities implements BandSink {
  #file: Promise<io.NpyWriter> | undefined;
  #path = "";
  #isDiscarded = false;

  /** @param findPath is called when there is something to write */
  constructor(
    private readonly size: Size,
    private readonly findPath: () => Promise<string>,
  ) {}

  async write(band: Band): Promise<void> {
    if (this.#isDiscarded) return;
    this.#file ??= this.#create(band.classes);
    const file = await this.#file;
    const writes: Promise<void>[] = [];
    eachPlane(band, this.size, (rows, at) => writes.push(file.write(rows, at)));
    await Promise.all(writes);
  }

  async #create(classes: number): Promise<io.NpyWriter> {
    const { height, width } = this.size;
    this.#path = await this.findPath();
    return io.createNpy(this.#path, { dtype: "float32", shape: [classes, height, width] });
  }

  /** Makes the file appear under its name, and returns its path. */
  async finish(): Promise<string> {
    await (await this.#file)?.finish();
    return this.#path;
  }

  /** Removes an unfinished file. */
  async discard(): Promise<void> {
    this.#isDiscarded = true;
    const file = await this.#file?.catch(() => undefined);
    await file?.discard();
  }
}
