import { createReadStream } from "node:fs";
import type { PlaceContent } from "./place.js";

/** What is to be written, piece by piece. */
export async function* piecesOf(content: PlaceContent): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else if ("file" in content) yield* createReadStream(content.file) as AsyncIterable<Uint8Array>;
  else yield* content;
}

/** Sends pieces away by `send`. What the pieces themselves throw is thrown, not what becomes of that on the way. */
export async function sendPieces<T>(
  content: PlaceContent,
  send: (pieces: AsyncGenerator<Uint8Array>) => Promise<T>,
): Promise<T> {
  const thrown: unknown[] = [];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* piecesOf(content);
    } catch (error) {
      thrown.push(error);
      throw error;
    }
  }
  try {
    return await send(pieces());
  } catch (error) {
    throw thrown.length > 0 ? thrown[0] : error;
  }
}
