import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type DeviceInfo, savedTuning, saveTuning, type Tuning, tuningFile } from "@fcn/tensor";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../fcn/data/trees.js";

const folder = await temporaryFolder("tuning-file");
const info: DeviceInfo = {
  vendor: "maker",
  architecture: "first",
  device: "card",
  description: "driver 1.2",
  software: false,
  runtime: "dawn-node",
  subgroupMinSize: 0,
  subgroupMaxSize: 0,
};
const adapter = { vendor: "maker", architecture: "first", device: "card", description: "driver 1.2" };
const tile = { variant: "register", TM: 4, SGN: 1, TV: 1 } as const;
const content = { version: 1, adapter, tiles: { a: tile }, unchanged: ["b"] };

let lines: string[] = [];
beforeEach(async () => {
  vi.stubEnv("FCN_TUNING", folder);
  lines = [];
  vi.spyOn(console, "warn").mockImplementation((line: string) => void lines.push(line));
  await rm((await tuningFile(info)) as string, { recursive: true, force: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const write = async (text: string): Promise<void> => writeFile((await tuningFile(info)) as string, text);

describe("the tuning file", () => {
  it("is named after the adapter and its driver", async () => {
    expect(await tuningFile(info)).toBe(`${folder}/maker-first-card-driver-1-2.json`);
    expect(await tuningFile({ ...info, description: "driver 1.3" })).toBe(`${folder}/maker-first-card-driver-1-3.json`);
    vi.stubEnv("FCN_TUNING", "off");
    expect(await tuningFile(info)).toBeUndefined();
    expect(await savedTuning(info)).toBeUndefined();
  });

  it("gives its tiles, and nothing before anything was measured, without a word", async () => {
    expect(await savedTuning(info)).toBeUndefined();
    await write(JSON.stringify(content));
    expect(await savedTuning(info)).toEqual({ a: tile });
    expect(lines).toEqual([]);
  });

  const edited = (change: object): string => JSON.stringify({ ...content, ...change });
  it.each([
    ["another version", edited({ version: 0 }), "it is of version 0, not 1"],
    ["a version before any", JSON.stringify({ adapter, tiles: { a: tile } }), "it is of version undefined, not 1"],
    ["another driver", edited({ adapter: { ...adapter, description: "driver 1.1" } }), "another adapter or driver"],
    ["another device", edited({ adapter: { ...adapter, device: "other" } }), "another adapter or driver"],
    ["no adapter", edited({ adapter: null }), "another adapter or driver"],
    ["the first half", JSON.stringify(content).slice(0, 90), "it is not whole"],
    ["nothing", "", "it is not whole"],
    ["null", "null", "version undefined"],
    ["a list", "[]", "version undefined"],
    ["tiles as a list", edited({ tiles: [tile] }), "changed by hand"],
    ["a tile that is none", edited({ tiles: { a: tile, c: null } }), "changed by hand"],
    ["a tile with text for a number", edited({ tiles: { a: { ...tile, TM: "4" } } }), "changed by hand"],
    ["a tile with half a number", edited({ tiles: { a: { ...tile, TM: 0.5 } } }), "changed by hand"],
    ["no tiles", edited({ tiles: undefined }), "changed by hand"],
    ["keys that are none", edited({ unchanged: "b" }), "changed by hand"],
  ])("is passed over with one line where it holds %s, and written anew", async (_, text, why) => {
    await write(text);
    expect(await savedTuning(info)).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining(why)]);
    expect(lines[0]).toMatch(/^fcn: the tuning file \S+maker-first-card-driver-1-2\.json is passed over: .*fcn tune$/);
    await saveTuning(info, { c: tile }, ["c"]);
    expect(await savedTuning(info)).toEqual({ c: tile });
    expect(lines).toHaveLength(1);
  });

  it("is passed over with one line where it cannot be read", async () => {
    await mkdir((await tuningFile(info)) as string);
    expect(await savedTuning(info)).toBeUndefined();
    expect(lines).toEqual([expect.stringContaining("EISDIR")]);
  });

  it("keeps what was measured before of other keys, and which keys had nothing better", async () => {
    await saveTuning(info, { b: tile, a: tile }, ["a", "b", "c"]);
    const other = { ...tile, TM: 8 };
    const file = (await saveTuning(info, { c: other }, ["c", "a"])) as string;
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
      version: 1,
      adapter,
      tiles: { b: tile, c: other },
      unchanged: ["a"],
    });
    expect(await readdir(folder)).toEqual([basename(file)]);
  });

  it("loses nothing where many save at once", async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `key ${i}`);
    await Promise.all(keys.map((key) => saveTuning(info, { [key]: tile }, [key])));
    expect(Object.keys((await savedTuning(info)) as Tuning).sort()).toEqual([...keys].sort());
    expect(await readdir(folder)).toHaveLength(1);
  });

  it("says where it cannot be written", async () => {
    vi.stubEnv("FCN_TUNING", "/proc/nowhere");
    await expect(saveTuning(info, {}, ["a"])).rejects.toMatchObject({ code: "unwritable-file" });
  });
});
