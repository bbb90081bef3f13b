// Packs the packages, installs them into fresh projects, and runs each: a table of what works, and why not.
// Arguments name the projects to make; --keep leaves them where they are made.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Place, run } from "./fresh/place.mjs";
import { PROJECTS } from "./fresh/projects.mjs";
import { pack, serve } from "./fresh/registry.mjs";
import { fail } from "./lib/system.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const TOOLS = ["pnpm", "deno", "bun"];

function chosen(args) {
  const names = args.filter((arg) => arg !== "--keep");
  const unknown = names.find((name) => PROJECTS[name] === undefined);
  if (unknown !== undefined)
    fail(`no project is called "${unknown}"`, `name any of ${Object.keys(PROJECTS).join(", ")}`);
  return names.length > 0 ? names : Object.keys(PROJECTS);
}

const inKilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;

async function makeOne(name, folder, options) {
  const place = new Place(join(folder, name), options);
  await mkdir(place.folder);
  try {
    const note = await PROJECTS[name].make(place);
    return { name, works: true, note };
  } catch (error) {
    return { name, works: false, note: error.message };
  }
}

async function main(args) {
  const names = chosen(args);
  const folder = await mkdtemp(join(tmpdir(), "fcn-fresh-"));
  const tools = join(folder, "tools");
  const packed = await pack(root, folder);
  console.log("| package | tarball | packed | unpacked |\n| --- | --- | ---: | ---: |");
  for (const { name, file, size, unpackedSize } of packed) {
    console.log(`| ${name} | ${file.split(/[\\/]/).at(-1)} | ${inKilobytes(size)} | ${inKilobytes(unpackedSize)} |`);
  }
  const { address, close } = await serve(packed, root);
  const results = [];
  try {
    const wanted = TOOLS.filter((name) => names.includes(name));
    await mkdir(tools);
    if (wanted.length > 0) await run("npm", ["install", "--no-audit", "--no-fund", "--prefix", tools, ...wanted], {});
    console.log("\n| project | what is done | works | |\n| --- | --- | --- | --- |");
    const options = { registry: address, tarballs: packed.map(({ file }) => file), tools };
    for (const name of names) {
      const result = await makeOne(name, folder, options);
      results.push(result);
      const note = result.works ? result.note : result.note.split("\n").at(0);
      console.log(`| ${name} | ${PROJECTS[name].what} | ${result.works ? "yes" : "NO"} | ${note} |`);
    }
  } finally {
    close();
    if (!args.includes("--keep")) await rm(folder, { recursive: true, force: true });
  }
  for (const { name, works, note } of results) if (!works) console.error(`\n${name}: ${note}`);
  if (args.includes("--keep")) console.log(`\nprojects: ${folder}`);
  process.exitCode = results.every(({ works }) => works) ? 0 : 1;
}

await main(process.argv.slice(2));
