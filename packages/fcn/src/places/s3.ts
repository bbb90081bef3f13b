import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { fileError } from "../data/files/errors.js";
import { optionalPackage } from "../files/optionalPackage.js";
import { bucketAddress, checkName } from "./address.js";
import { sendPieces } from "./pieces.js";
import type { Place, PlaceContent, PlaceEntry } from "./place.js";
import { endpointOf, isNothing, noBucketServer, s3Error } from "./s3Errors.js";

const dotted = (address: string): Error =>
  fileError("invalid-argument", address, 'it has "." or ".." for a part', "write the address without them");

const MIB = 2 ** 20;
/** Times that an answer is asked for that ends too early. */
const ATTEMPTS = 3;
/** The parts of an upload: most servers want at least 5 MiB, and at most 10000 of them. */
const PART = { bytes: 8 * MIB, most: 10_000 };

/** A bucket, or what has names that begin with a prefix there, on AWS or any server that speaks its protocol. */
export class S3Place implements Place {
  readonly address: string;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(address: string) {
    const { bucket, key } = bucketAddress(address);
    this.#bucket = bucket;
    this.#prefix = key.replace(/\/+$/, "");
    // The server may take them for what they mean elsewhere, and answer for another bucket.
    if (this.#prefix.split("/").some((part) => part === "." || part === "..")) throw dotted(address);
    this.address = `s3://${bucket}${this.#prefix && `/${this.#prefix}`}`;
    if (this.#prefix !== "") this.#prefix += "/";
  }

  addressOf(name: string): string {
    return `${this.address}/${name}`;
  }

  async stat(name: string): Promise<PlaceEntry | undefined> {
    return this.#try("read", name, async ({ s3, client, object }) => {
      try {
        const { ContentLength = 0, ETag } = await client.send(new s3.HeadObjectCommand(object));
        return { name, bytes: ContentLength, version: ETag };
      } catch (error) {
        if (isNothing(error)) return undefined;
        throw error;
      }
    });
  }

  async *list(prefix = ""): AsyncIterable<PlaceEntry> {
    const { s3, client } = await openClient();
    const query = { Bucket: this.#bucket, Prefix: this.#prefix + prefix };
    try {
      for await (const { Contents = [], Name, IsTruncated } of s3.paginateListObjectsV2({ client }, query)) {
        // The SDK takes any web page for an empty list.
        if (Name === undefined && IsTruncated === undefined) throw noBucketServer(this.addressOf(prefix));
        for (const { Key = "", Size = 0, ETag } of Contents) {
          const name = Key.slice(this.#prefix.length);
          // Consoles mark folders by empty objects.
          if (name !== "" && !name.endsWith("/")) yield { name, bytes: Size, version: ETag };
        }
      }
    } catch (error) {
      throw s3Error("list", this.addressOf(prefix), error);
    }
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    if (range?.length === 0) return new Uint8Array(0);
    return this.#try("read", name, async ({ s3, client, object }) => {
      const part = range && { Range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
      for (let attempt = 1; ; attempt++) {
        const answer = await client.send(new s3.GetObjectCommand({ ...object, ...part })).catch((error: Error) => {
          // The object ends before the part begins.
          if (error.name === "InvalidRange") return { Body: undefined };
          throw error;
        });
        try {
          return (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
        } catch (error) {
          // The SDK itself asks again only until an answer begins.
          if (attempt === ATTEMPTS) throw error;
        }
      }
    });
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    const { Body } = await this.#try("read", name, ({ s3, client, object }) =>
      client.send(new s3.GetObjectCommand(object)),
    );
    try {
      yield* (Body ?? []) as AsyncIterable<Uint8Array>;
    } catch (error) {
      throw s3Error("read", this.addressOf(name), error);
    }
  }

  async write(name: string, content: PlaceContent): Promise<void> {
    const bytes = "file" in content ? (await stat(content.file)).size : 0;
    const partSize = Math.max(PART.bytes, Math.ceil(bytes / PART.most));
    const send = (Body: Uint8Array | Readable): Promise<void> =>
      this.#try("write", name, async ({ storage, client, object }) => {
        // A failed upload is aborted, so that its parts go.
        const params = { ...object, Body };
        await new storage.Upload({ client, params, partSize, leavePartsOnError: false }).done();
      });
    if (content instanceof Uint8Array) return send(content);
    // The SDK cuts a stream of bytes into parts, which it wants as buffers.
    await sendPieces(content, (pieces) => send(Readable.from(pieces, { objectMode: false })));
  }

  async remove(name: string): Promise<void> {
    await this.#try("remove", name, async ({ s3, client, object }) => {
      await client.send(new s3.DeleteObjectCommand(object));
    });
  }

  async #try<T>(
    action: "read" | "write" | "remove",
    name: string,
    work: (given: Sdk & { readonly object: { readonly Bucket: string; readonly Key: string } }) => Promise<T>,
  ): Promise<T> {
    checkName(this.address, name);
    try {
      return await work({ ...(await openClient()), object: { Bucket: this.#bucket, Key: this.#prefix + name } });
    } catch (error) {
      throw s3Error(action, this.addressOf(name), error);
    }
  }
}

interface Sdk {
  readonly s3: typeof import("@aws-sdk/client-s3");
  readonly storage: typeof import("@aws-sdk/lib-storage");
  readonly client: S3Client;
}

/** A client for each set of variables that it is made of: it keeps connections and credentials. */
const clients = new Map<string, Promise<Sdk>>();

function openClient(): Promise<Sdk> {
  const key = JSON.stringify(Object.entries(process.env).filter(([name]) => name.startsWith("AWS_")));
  const known = clients.get(key) ?? makeClient();
  clients.set(key, known);
  return known;
}

async function makeClient(): Promise<Sdk> {
  const [s3, storage] = await optionalPackage("s3://", ["@aws-sdk/client-s3", "@aws-sdk/lib-storage"], () =>
    Promise.all([import("@aws-sdk/client-s3"), import("@aws-sdk/lib-storage")]),
  );
  const { AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const requestHandler = { connectionTimeout: 10_000, socketTimeout: 60_000 };
  // Servers other than Amazon's have buckets in the path, any region, and often none of the newer checksums.
  const other = {
    forcePathStyle: true,
    region: AWS_REGION || AWS_DEFAULT_REGION || "us-east-1",
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  } as const;
  const isOther = endpointOf(process.env) !== undefined;
  const client = new s3.S3Client({ requestHandler, ...(isOther ? other : { followRegionRedirects: true }) });
  return { s3, storage, client };
}
