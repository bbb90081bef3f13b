import { joinPath } from "./paths.js";

/** A file of a bucket. */
export interface Listed {
  readonly bytes: number;
  /** Changes when the file does. */
  readonly version?: string | undefined;
}

interface Folder {
  readonly files: string[];
  readonly folders: Set<string>;
}

const isHidden = (name: string): boolean => name.startsWith(".");

/** The files of a bucket below one address, as folders of a disk would have them. Paths are relative to the address. */
export class Tree {
  readonly #files = new Map<string, Listed>();
  readonly #folders = new Map<string, Folder>();
  /** The first path that no file of a folder has, such as "a//b.png". Such files are left out. */
  impossible: string | undefined;

  add(path: string, listed: Listed): void {
    const parts = path.split("/");
    if (parts.some((part) => ["", ".", ".."].includes(part))) {
      this.impossible ??= path;
      return;
    }
    this.#files.set(path, listed);
    const name = parts.pop() as string;
    let folder = this.#folderAt("");
    for (const [i, part] of parts.entries()) {
      folder.folders.add(part);
      folder = this.#folderAt(parts.slice(0, i + 1).join("/"));
    }
    folder.files.push(name);
  }

  #folderAt(path: string): Folder {
    const known = this.#folders.get(path) ?? { files: [], folders: new Set() };
    this.#folders.set(path, known);
    return known;
  }

  file(path: string): Listed | undefined {
    return this.#files.get(path);
  }

  kindOf(path: string): "file" | "folder" | undefined {
    // Some programs mark a folder by an object of its name.
    if (this.#folders.has(path)) return "folder";
    return this.#files.has(path) ? "file" : undefined;
  }

  /** The files in a folder, as paths relative to it, without hidden ones; undefined if there is no such folder. */
  files(path: string, recursive: boolean): string[] | undefined {
    if (!this.#folders.has(path)) return undefined;
    const found: string[] = [];
    const visit = (below: string): void => {
      const { files, folders } = this.#folderAt(joinPath(path, below));
      for (const name of files) if (!isHidden(name)) found.push(joinPath(below, name));
      if (!recursive) return;
      for (const name of folders) if (!isHidden(name)) visit(joinPath(below, name));
    };
    visit("");
    return found.sort();
  }

  /** The folders in a folder, without hidden ones; undefined if there is no such folder. */
  folders(path: string): string[] | undefined {
    const found = this.#folders.get(path)?.folders;
    return found && [...found].filter((name) => !isHidden(name)).sort();
  }
}
