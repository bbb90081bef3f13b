/** A file or an object below a place. */
export interface PlaceEntry {
  /** Its path below the place, with "/". */
  readonly name: string;
  readonly bytes: number;
  /** Changes when the file does; only buckets have it. */
  readonly version?: string | undefined;
}

/** What can be written: bytes, pieces of bytes, or a file of this machine. */
export type PlaceContent = Uint8Array | AsyncIterable<Uint8Array> | { readonly file: string };

/** How a file is written. */
export interface WriteOptions {
  /** Whether a folder's file is on its disk before it has its name. Default true. */
  readonly sync?: boolean;
}

/** A folder, a bucket's prefix, or a server's path, in which files are read and written by their names below it. */
export interface Place {
  /** The address of the place itself, without a slash at the end. */
  readonly address: string;
  /** The address of a file: `address` and its name. */
  addressOf(name: string): string;
  /** A file, or undefined if there is none. */
  stat(name: string): Promise<PlaceEntry | undefined>;
  /** All files whose names begin with `prefix`, at any depth, in the order of their names. */
  list(prefix?: string): AsyncIterable<PlaceEntry>;
  /** A whole file, or `length` bytes of it from `offset`. Throws `missing-data` if there is none. */
  read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array>;
  /** A file piece by piece. Throws `missing-data` if there is none. */
  stream(name: string): AsyncIterable<Uint8Array>;
  /** Writes a file, which appears whole or not at all. Throws `unwritable-file` or `disk-full`. */
  write(name: string, content: PlaceContent, options?: WriteOptions): Promise<void>;
  /** Removes a file, and folders that hold nothing after it; nothing happens if there is none. */
  remove(name: string): Promise<void>;
}
