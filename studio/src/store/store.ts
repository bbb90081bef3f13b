import { type DBSchema, type IDBPDatabase, type IDBPObjectStore, openDB } from "idb";
import { checkedSession, checkedSettings } from "../session/check.js";
import type { Session, Settings } from "../session/types.js";
import { damaged, storageError } from "./failures.js";

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

interface Schema extends DBSchema {
  state: { key: "saved"; value: Saved };
  images: { key: string; value: Blob };
  net: { key: "net"; value: KeptNet };
}

type Database = IDBPDatabase<Schema>;
type Writable<Name extends Area> = IDBPObjectStore<Schema, [Name], Name, "readwrite">;
type Area = "state" | "images" | "net";

const AREAS: readonly Area[] = ["state", "images", "net"];

/**
 * Opens what is kept between visits, and makes it on the first one.
 *
 * @throws StudioError `storage-denied` where the browser keeps nothing for the page, `storage-damaged` where it cannot
 *   open what it kept
 */
export async function openStore(): Promise<Store> {
  const database = await told(async () => {
    if (globalThis.indexedDB === undefined) throw new DOMException("there is no IndexedDB", "SecurityError");
    return openDB<Schema>("fcn-studio", 1, {
      upgrade(fresh) {
        for (const area of AREAS) fresh.createObjectStore(area);
      },
    });
  });
  // A page of a later version must not wait for this one.
  database.addEventListener("versionchange", () => database.close());
  return new BrowserStore(database);
}

class BrowserStore implements Store {
  #isLasting = false;

  constructor(private readonly database: Database) {}

  async read(): Promise<Saved | undefined> {
    const saved = await told(() => this.database.get("state", "saved"));
    if (saved === undefined) return undefined;
    try {
      const session = checkedSession(saved.session);
      const { shown, training } = saved;
      const known = session.images.some(({ id }) => id === shown);
      return {
        session,
        settings: checkedSettings(saved.settings),
        shown: known ? shown : null,
        training: training === true,
      };
    } catch (cause) {
      throw damaged((cause as Error).message, { cause });
    }
  }

  write(saved: Saved): Promise<void> {
    return this.#change("state", (area) => area.put(saved, "saved"));
  }

  async image(id: string): Promise<Blob> {
    const file = await told(() => this.database.get("images", id));
    if (file === undefined) throw damaged(`the file of the image "${id}" is missing`);
    return file;
  }

  putImage(id: string, file: Blob): Promise<void> {
    // Kept images shall not go when the disk fills up; browsers may ask the person first, or say no.
    if (!this.#isLasting) navigator.storage?.persist?.().catch(() => {});
    this.#isLasting = true;
    return this.#change("images", (area) => area.put(file, id));
  }

  removeImage(id: string): Promise<void> {
    return this.#change("images", (area) => area.delete(id));
  }

  imageIds(): Promise<readonly string[]> {
    return told(() => this.database.getAllKeys("images"));
  }

  net(): Promise<KeptNet | undefined> {
    return told(() => this.database.get("net", "net"));
  }

  putNet(net: KeptNet): Promise<void> {
    return this.#change("net", (area) => area.put(net, "net"));
  }

  removeNet(): Promise<void> {
    return this.#change("net", (area) => area.delete("net"));
  }

  async usage(): Promise<{ readonly bytes: number; readonly most: number | undefined }> {
    const { usage = 0, quota } = (await navigator.storage?.estimate?.()) ?? {};
    return { bytes: usage, most: quota };
  }

  async clear(): Promise<void> {
    await told(async () => {
      const transaction = this.database.transaction(AREAS, "readwrite");
      for (const area of AREAS)
        transaction
          .objectStore(area)
          .clear()
          .catch(() => {});
      await transaction.done;
    });
  }

  /** Changes one area as a whole or not at all. */
  async #change<Name extends Area>(name: Name, change: (area: Writable<Name>) => Promise<unknown>): Promise<void> {
    await told(async () => {
      const transaction = this.database.transaction(name, "readwrite");
      // A request that fails ends the transaction, which says why.
      change(transaction.store).catch(() => {});
      await transaction.done;
    });
  }
}

/** What storage answers; what it refuses is told to the person. */
async function told<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw storageError(cause);
  }
}
