/**
 * Lets one at a time use the device, in the order of asking. Nets that train side by side take a turn a step;
 * predictions and files for the person come in between.
 */
export class Turns {
  #last: Promise<void> = Promise.resolve();

  /** Waits for a turn. What it returns ends the turn, and may be called more than once. */
  async take(): Promise<() => void> {
    const before = this.#last;
    let end: () => void = () => {};
    this.#last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }

  /** Runs `work` in a turn of its own. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const end = await this.take();
    try {
      return await work();
    } finally {
      end();
    }
  }
}
