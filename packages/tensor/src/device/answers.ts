/** Everything that the GPU was asked and has not answered yet. Dawn's instance must not be collected before it has. */
export class Answers {
  readonly #open = new Set<Promise<unknown>>();

  /** Counts a promise of WebGPU until it is settled; answers the promise itself. */
  track<T>(promise: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = promise.then(
      () => this.#open.delete(settled),
      () => this.#open.delete(settled),
    );
    this.#open.add(settled);
    return promise;
  }

  /** Waits until all have been answered, well or badly. */
  async settle(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }
}
