import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { splitAddress } from "../../../packages/fcn/src/places/address.js";
import { openPlace } from "../../../packages/fcn/src/places/open.js";
import { all, bytes, namesIn, setEnv, useServers } from "../../support/places.js";

const BUILT = new URL("../../../packages/fcn/dist/places/open.js", import.meta.url);
const servers = useServers();

describe("a bucket", () => {
  it("is listed page by page", async () => {
    const place = await openPlace("s3://bucket/many");
    const names = Array.from({ length: 1100 }, (_, i) => `${String(i).padStart(5, "0")}.txt`);
    for (let i = 0; i < names.length; i += 50) {
      await Promise.all(names.slice(i, i + 50).map((name) => place.write(name, bytes(name))));
    }
    expect(await namesIn(place)).toEqual(names);
  });

  it("tells what is wrong in one line with its remedy", async () => {
    const fails = async (
      address: string,
      wanted: object,
      env: Readonly<Record<string, string>> = {},
    ): Promise<void> => {
      setEnv(env);
      const { place, name } = splitAddress(address);
      const opened = await openPlace(place);
      const errors = await Promise.all(
        [opened.read(name), opened.write(name, bytes("x")), all(opened.list())].map((done) =>
          done.then(
            () => undefined,
            (error: Error & { fix: string }) => error,
          ),
        ),
      );
      for (const error of errors) {
        expect(error).toMatchObject(wanted);
        expect(error?.message).not.toContain("\n");
        expect(error?.message.startsWith(place)).toBe(true);
        expect(error?.fix).toBeTruthy();
      }
    };
    await fails("s3://nobucket/a", {
      code: "missing-data",
      message: expect.stringMatching(/: there is no bucket nobucket$/),
      fix: expect.stringContaining("aws s3 mb s3://nobucket"),
    });
    const id = { AWS_ACCESS_KEY_ID: "nobody" };
    const unknown = { message: expect.stringMatching(/: the server does not know the access key$/) };
    await fails("s3://bucket/a", { ...unknown, fix: expect.stringContaining("AWS_ACCESS_KEY_ID") }, id);
    const gone = { AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1" };
    const noAnswer = { message: expect.stringMatching(/: http:\/\/127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)$/) };
    await fails("s3://bucket/a", { ...noAnswer, code: "no-network" }, { ...servers.s3.env, ...gone });
  });

  describe("with another server than it wants", () => {
    const page = "<!doctype html><html><body>Log in</body></html>";
    const failure = (work: Promise<unknown>): Promise<unknown> =>
      work.then(
        () => undefined,
        (error) => error,
      );

    it.each([
      ["a web page", 200, page, "unreadable-file", /^http:.* does not answer as a server of buckets does$/],
      ["a page for what it has not", 404, "<p>none", "unreadable-file", /does not answer as a server of buckets does$/],
      ["what stands before it, alone", 503, page, "no-network", /^the server is too busy \(503\)$/],
    ])("tells of %s", async (_, status, body, code, problem) => {
      const server = createServer((_request, response) => {
        response.writeHead(status, { "content-type": "text/html" }).end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` });
      const place = await openPlace("s3://bucket/photos");
      const wanted = { code, details: { file: "s3://bucket/photos/", problem: expect.stringMatching(problem) } };
      expect(await failure(namesIn(place))).toMatchObject(wanted);
      setEnv({ AWS_ENDPOINT_URL_S3: `https://127.0.0.1:${port}` });
      expect(await failure(namesIn(place))).toMatchObject({
        ...{ code: "no-network", fix: expect.stringContaining("http://") },
        message: expect.stringMatching(/cannot be spoken with by TLS \(\w+\)$/),
      });
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    it.each(["127.0.0.1:9000", "localhost:9000", "http://"])("says that %s is no address of one", async (endpoint) => {
      setEnv({ AWS_ENDPOINT_URL_S3: endpoint });
      const place = await openPlace("s3://bucket/photos");
      const errors = [namesIn(place), place.read("a"), place.write("a", bytes("a"))].map(failure);
      for (const error of await Promise.all(errors)) {
        expect(error).toMatchObject({
          code: "invalid-argument",
          message: `s3://: AWS_ENDPOINT_URL_S3 is "${endpoint}", which is no address of a server`,
          fix: expect.stringContaining("http://host:9000"),
        });
      }
    });
  });

  it("tells a denied access apart from wrong credentials", async () => {
    const denied = `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`;
    const server = createServer((_, response) => {
      response.writeHead(403, { "content-type": "application/xml" }).end(denied);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const place = await openPlace("s3://bucket");
    const refused = (right: string) => ({ message: expect.stringContaining(`access is denied (${right})`) });
    await expect(place.stat("a")).rejects.toMatchObject({ ...refused("s3:GetObject"), code: "unreadable-file" });
    await expect(place.write("a", bytes("a"))).rejects.toMatchObject({
      ...refused("s3:PutObject"),
      code: "unwritable-file",
    });
    await expect(namesIn(place)).rejects.toMatchObject(refused("s3:ListBucket"));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("that is too busy has said nothing of its objects", async () => {
    const slow = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>";
    const server = createServer((_, response) => {
      response.writeHead(503, { "content-type": "application/xml" }).end(slow);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const place = await openPlace("s3://bucket");
    const busy = { code: "no-network", message: "s3://bucket/a: the server is too busy (503)" };
    const write = () => place.write("a", bytes("a"));
    for (const work of [() => place.read("a"), () => place.stat("a"), write, () => place.remove("a")]) {
      await expect(work()).rejects.toMatchObject(busy);
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("asks again for an object whose answer ended too early, and says so if all do", async () => {
    const content = bytes("x".repeat(1000));
    let cuts = 0;
    const server = createServer((_, response) => {
      response.writeHead(200, { "content-length": content.length });
      if (cuts-- > 0) response.write(content.subarray(0, 10), () => response.destroy());
      else response.end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    setEnv({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const place = await openPlace("s3://bucket");
    cuts = 2;
    expect(await place.read("a")).toEqual(content);
    cuts = 3;
    await expect(place.read("a")).rejects.toMatchObject({
      code: "no-network",
      message: expect.stringMatching(/^s3:\/\/bucket\/a: /),
    });
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it("says which packages it needs where they are not installed", async () => {
    const hook = `export const resolve = (name, context, next) => {
      if (name.startsWith("@aws-sdk/")) throw Object.assign(new Error("no"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(name, context);
    };`;
    const program = `
      import { register } from "node:module";
      register("data:text/javascript," + ${JSON.stringify(encodeURIComponent(hook))});
      const { openPlace } = await import(${JSON.stringify(BUILT.href)});
      const place = await openPlace("s3://bucket/a");
      await place.read("b").catch(({ message, fix }) => console.log(message + "; " + fix));`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
    expect(stdout).toMatch(/needs .*, which are not installed; npm install @aws-sdk\/client-s3 @aws-sdk\/lib-/);
  });
});
