import type { Session } from "../session/types.js";

/** A session to look at, and the files of its images by id. */
export interface Example {
  readonly session: Session;
  readonly images: readonly { readonly id: string; readonly blob: Blob }[];
}

/** Parts of NASA's Blue Marble, in the public domain, with strokes in place. Rejects where they cannot be loaded. */
export async function loadExample(): Promise<Example> {
  const folder = new URL("generated/example/", document.baseURI);
  const load = async (name: string): Promise<Response> => {
    const response = await fetch(new URL(name, folder));
    if (!response.ok)
      throw new Error(`The example could not be loaded: ${response.url} has status ${response.status}.`);
    return response;
  };
  const session = (await (await load("session.json")).json()) as Session;
  const images = session.images.map(async ({ id }) => ({ id, blob: await (await load(`${id}.jpg`)).blob() }));
  return { session, images: await Promise.all(images) };
}
