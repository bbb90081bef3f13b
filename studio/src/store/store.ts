import type { Session, Settings } from "../session/types.js";

/** What is kept besides images and nets. */
export interface Saved {
  readonly session: Session;
  readonly settings: Settings;
  /** The image that was shown. */
  readonly shown: string | null;
  /** Whether training was on. */
  readonly training: boolean;
}

/** A net as it is kept. */
export interface KeptNet {
  /** A file that `fcn predict` takes. */
  readonly weights: Blob;
  /** The state of its optimiser as safetensors; absent where it has made no step. */
  readonly optimizer?: Blob | undefined;
  /** Steps that it has made. */
  readonly step: number;
  /** The class of the session that each of its scores is for. */
  readonly classIds: readonly string[];
}

/**
 * All that is kept between visits, in the browser's IndexedDB: nothing of it leaves the machine. Page and worker open
 * it each for themselves. Writes are transactions, so that what was there stays if one fails. Rejects with an Error
 * whose message is for the person: storage full, denied, or damaged.
 */
export interface Store {
  read(): Promise<Saved | undefined>;
  write(saved: Saved): Promise<void>;
  /** The file of an image as it was given. */
  image(id: string): Promise<Blob>;
  putImage(id: string, file: Blob): Promise<void>;
  removeImage(id: string): Promise<void>;
  imageIds(): Promise<readonly string[]>;
  net(): Promise<KeptNet | undefined>;
  putNet(net: KeptNet): Promise<void>;
  removeNet(): Promise<void>;
  /** Bytes in use and at most, as far as the browser tells. */
  usage(): Promise<{ readonly bytes: number; readonly most: number | undefined }>;
  clear(): Promise<void>;
}
