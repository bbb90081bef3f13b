import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PublishedFile } from "@fcn/core";

export interface Behaviour {
  content: Buffer;
  /** Cuts the connection after so many bytes of each answer. */
  cutAfter?: number;
  /** Stops sending after so many bytes, but leaves the connection open. */
  stallAfter?: number;
  /** Whether it returns ranges. Default true. */
  ranges?: boolean;
  etag?: string;
  status?: number;
  type?: string;
  /** Leaves the length out, so that the end of the answer is its only sign. */
  chunked?: boolean;
}

/** A file server on this machine that can be as bad as one likes. */
export class FileServer {
  /** The Range header of every request, or "all". */
  readonly asked: string[] = [];
  #server = createServer((request, response) => this.#answer(request, response));

  constructor(public behaviour: Behaviour) {}

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { content, ranges = true, etag, status, type = "application/octet-stream", chunked } = this.behaviour;
    const { range } = request.headers;
    this.asked.push(range ?? "all");
    if (status !== undefined) {
      response.writeHead(status).end("no");
      return;
    }
    const begin = ranges ? rangeOf(request, etag) : 0;
    const headers = { "content-type": type, ...(etag === undefined ? {} : { etag }) };
    if (begin > 0 && begin >= content.length) {
      response.writeHead(416, { ...headers, "content-range": `bytes */${content.length}` }).end();
      return;
    }
    const body = content.subarray(begin);
    const length = chunked ? {} : { "content-length": body.length };
    const part = { "content-range": `bytes ${begin}-${content.length - 1}/${content.length}` };
    response.writeHead(begin > 0 ? 206 : 200, { ...headers, ...length, ...(begin > 0 ? part : {}) });
    this.#send(response, body);
  }

  #send(response: ServerResponse, body: Buffer): void {
    const { cutAfter, stallAfter } = this.behaviour;
    const sent = Math.min(cutAfter ?? stallAfter ?? body.length, body.length);
    const whole = sent === body.length;
    response.write(body.subarray(0, sent), () => {
      if (whole) response.end();
      // What was written needs a moment to leave before the connection goes.
      else if (cutAfter !== undefined) setTimeout(() => response.destroy(), 20);
    });
  }
}

/** Where an answer begins: at the range, unless it was asked for another file. */
function rangeOf(request: IncomingMessage, etag: string | undefined): number {
  const wanted = request.headers["if-range"];
  if (wanted !== undefined && wanted !== etag) return 0;
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
}

/** Bytes that are nowhere the same. */
export function bytes(length: number, seed = 1): Buffer {
  const out = Buffer.alloc(length);
  for (let i = 0, state = seed; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    out[i] = state >>> 24;
  }
  return out;
}

/** An entry for a file of the server, with what is known of it. */
export function entryFor(url: string, content: Buffer, known: readonly ("sha256" | "md5" | "size")[]): PublishedFile {
  const algorithm = known.find((what) => what !== "size");
  return {
    name: "test/weights",
    url: `${url}/weights.pth`,
    file: "weights.pth",
    format: "pth",
    model: "fcn32s-vgg16",
    part: "net",
    numClasses: 21,
    preprocessing: { channelOrder: "rgb", mean: [0, 0, 0], std: [1, 1, 1] },
    license: "none",
    ...(known.includes("size") ? { size: { bytes: content.length } } : {}),
    ...(algorithm ? { checksum: { algorithm, digits: createHash(algorithm).update(content).digest("hex") } } : {}),
  };
}
