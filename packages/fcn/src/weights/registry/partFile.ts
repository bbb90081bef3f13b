import { nodeModule } from "@fcn/tensor/internal";

type FileSystem = typeof import("node:fs/promises");
type FileHandle = Awaited<ReturnType<FileSystem["open"]>>;

/**
 * A partial download, and beside it the server's identification of the whole file (an ETag or a date), which tells a
 * later attempt whether it would continue the same file.
 */
export class PartFile {
  private constructor(
    private readonly fs: FileSystem,
    readonly path: string,
  ) {}

  static async at(path: string): Promise<PartFile> {
    return new PartFile(nodeModule("fetchWeights", "node:fs/promises"), path);
  }

  /** 0 if there is no file. */
  async length(): Promise<number> {
    return this.fs.stat(this.path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async validator(): Promise<string | undefined> {
    return this.fs.readFile(this.#validatorPath, "utf8").catch(() => undefined);
  }

  /** Starts over, for the file that the server describes in `headers`. */
  async restart(headers?: Headers): Promise<void> {
    await this.fs.rm(this.path, { force: true });
    const etag = headers?.get("etag");
    // A weak ETag does not promise identical bytes.
    const strong = etag && !etag.startsWith("W/") ? etag : headers?.get("last-modified");
    if (strong) await this.fs.writeFile(this.#validatorPath, strong);
    else await this.finish();
  }

  /** Discards the server's identification. */
  async finish(): Promise<void> {
    await this.fs.rm(this.#validatorPath, { force: true });
  }

  /** Calls `use` to write from `offset` on, then flushes and closes the file. */
  async write(offset: number, use: (append: (bytes: Uint8Array) => Promise<void>) => Promise<void>): Promise<void> {
    const file = await this.fs.open(this.path, offset === 0 ? "w" : "r+");
    let at = offset;
    try {
      await use(async (bytes) => {
        await writeAll(file, bytes, at);
        at += bytes.length;
      });
    } finally {
      await file.sync();
      await file.close();
    }
  }

  get #validatorPath(): string {
    return `${this.path}.validator`;
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
}
