import { nodeModule } from "@fcn/tensor/internal";

/**
 * A partial download, and beside it the server's identification of the whole file (an ETag or a date), which tells a
 * later attempt whether it would continue the same file.
 */
export class PartFile {
  readonly #fs = nodeModule("fetchWeights", "node:fs/promises");

  constructor(readonly path: string) {}

  get #validatorPath(): string {
    return `${this.path}.validator`;
  }

  /** 0 if there is no file. */
  async length(): Promise<number> {
    return this.#fs.stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async validator(): Promise<string | undefined> {
    return this.#fs.readFile(this.#validatorPath, "utf8").catch(() => undefined);
  }

  /** Starts over, for the file that the server describes in `headers`. */
  async restart(headers?: Headers): Promise<void> {
    await this.#fs.rm(this.path, { force: true });
    const etag = headers?.get("etag");
    // A weak ETag does not promise identical bytes.
    const strong = etag && !etag.startsWith("W/") ? etag : headers?.get("last-modified");
    if (strong) await this.#fs.writeFile(this.#validatorPath, strong);
    else await this.finish();
  }

  /** Discards the server's identification. */
  async finish(): Promise<void> {
    await this.#fs.rm(this.#validatorPath, { force: true });
  }

  /** Writes chunks as they come from `offset`, the end of the file or its start; a failure keeps those that came. */
  async write(offset: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.#fs.open(this.path, offset === 0 ? "w" : "a");
    try {
      for await (const chunk of chunks) await file.appendFile(chunk);
    } finally {
      await file.sync();
      await file.close();
    }
  }
}
