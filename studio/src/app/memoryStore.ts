import type { KeptNet, Saved, Store } from "../store/store.js";

/** Keeps everything until the page is left: for browsers that keep nothing for the page. */
export function memoryStore(): Store {
  let saved: Saved | undefined;
  let net: KeptNet | undefined;
  const files = new Map<string, Blob>();
  return {
    read: async () => saved,
    write: async (next) => {
      saved = next;
    },
    image: async (id) => {
      const file = files.get(id);
      if (file === undefined) throw new Error(`the file of the image "${id}" is missing; add it again`);
      return file;
    },
    putImage: async (id, file) => {
      files.set(id, file);
    },
    removeImage: async (id) => {
      files.delete(id);
    },
    imageIds: async () => [...files.keys()],
    net: async () => net,
    putNet: async (next) => {
      net = next;
    },
    removeNet: async () => {
      net = undefined;
    },
    usage: async () => ({ bytes: [...files.values()].reduce((sum, { size }) => sum + size, 0), most: undefined }),
    clear: async () => {
      saved = undefined;
      net = undefined;
      files.clear();
    },
  };
}
