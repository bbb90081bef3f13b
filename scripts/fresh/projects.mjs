/** The fresh projects by name. `make` installs, builds and runs one; what it returns is shown beside it. */
import { join } from "node:path";
import { openPage } from "./page.mjs";

/** What {@link file://./files/step.js} found, in words. Throws where it did not learn. */
function learned({ runtime, first, last, labels, error }) {
  if (error !== undefined) throw new Error(error);
  if (!(last < first && labels === 32 * 48)) throw new Error(`loss ${first} became ${last}, ${labels} pixels labelled`);
  return `loss ${first.toFixed(3)} became ${last.toFixed(3)} on ${runtime}`;
}

const lastLine = (printed) => JSON.parse(printed.trim().split("\n").at(-1));
const HTML = '<!doctype html><meta charset="utf-8"><script type="module" src="./page.js"></script>\n';

/** What users install: strict package managers show a project only what it names itself. */
const PACKAGES = ["@fcn/core", "@fcn/tensor"];

/** Compiles `use.ts` as a project does that has TypeScript and nothing for it to know Node or WebGPU by. */
async function types(place, options, compiler = "typescript") {
  await place.make("use.ts");
  await place.npm(...PACKAGES, compiler);
  const compilerOptions = {
    target: "ES2022",
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: [],
    noEmit: true,
    ...options,
  };
  await place.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  await place.bin("tsc");
  return "no @types, no @webgpu/types";
}

/** Runs the step in the runtime that this command starts. */
async function runtime(place, install, program, ...args) {
  await place.make("step.js", "run.js");
  await install();
  return learned(lastLine(await place.run(program, ...args, "run.js")));
}

async function page(place, build, folder = "dist") {
  await build();
  return learned(await openPage(join(place.folder, folder)));
}

async function webpack(place) {
  await place.make("step.js", "page.js");
  await place.npm(...PACKAGES, "webpack", "webpack-cli");
  return page(place, async () => {
    await place.bin("webpack", "--mode=production", "--entry=./page.js", "--output-path=dist");
    await place.write("dist/index.html", HTML.replace("./page.js", "./main.js"));
  });
}

async function esbuild(place) {
  await place.make("step.js", "page.js");
  await place.npm(...PACKAGES, "esbuild");
  return page(place, async () => {
    await place.bin("esbuild", "page.js", "--bundle", "--format=esm", "--minify", "--outdir=dist");
    await place.write("dist/index.html", HTML);
  });
}

async function vite(place, ...options) {
  await place.make("step.js", "page.js");
  await place.write("index.html", HTML);
  await place.npm(...PACKAGES, ...options);
  const installed = await place.installed();
  await place.npm("vite");
  return `${await page(place, () => place.bin("vite", "build"))}; ${installed}`;
}

/** One file for the server, with all packages in it, runs where nothing is installed: no Dawn, no decoder of images. */
async function viteServer(place) {
  await place.make("step.js", "server.js");
  await place.write("vite.config.js", "export default { ssr: { noExternal: true } };\n");
  await place.npm(...PACKAGES, "vite");
  const bare = `${place.folder}-bare`;
  await place.bin("vite", "build", "--ssr", "server.js", `--outDir=${bare}`);
  return lastLine(await place.run(process.execPath, join(bare, "server.js"))).html;
}

const NEXT_FILES = {
  "next.config.js": 'export default { output: "export" };\n',
  "app/layout.js": "export default ({ children }) => <html><body>{children}</body></html>;\n",
  "app/page.js": `import { names } from "../step.js";
import Train from "./train.js";
export default () => <main>{names.length} nets<Train /></main>;
`,
  "app/train.js": `"use client";
import { useEffect } from "react";
import { trainingSteps } from "../step.js";
export default function Train() {
  useEffect(() => { globalThis.result = trainingSteps().catch((error) => ({ error: String(error) })); }, []);
  return null;
}
`,
};

/** A page that is rendered on the server and trains in the browser. */
async function next(place) {
  await place.make("step.js");
  for (const [path, text] of Object.entries(NEXT_FILES)) await place.write(path, text);
  await place.npm(...PACKAGES, "next", "react", "react-dom");
  return page(place, () => place.bin("next", "build"), "out");
}

/** A tool that npm installs beside all projects, once; its program comes in a package for each platform. */
const tool = (place, name) => join(place.tools, "node_modules/.bin", name);

export const PROJECTS = {
  node: {
    what: "npm install of the tarballs; fcn doctor; training in Node",
    async make(place) {
      const trained = await runtime(place, () => place.npm(...place.tarballs), process.execPath);
      const { ok } = JSON.parse(await place.bin("fcn", "doctor", "--json"));
      if (ok === false) throw new Error("fcn doctor finds something missing");
      return `${trained}; ${await place.installed()}`;
    },
  },
  "types-nodenext": {
    what: "npm; strict TypeScript, module nodenext, declarations checked",
    make: (place) => types(place, { module: "nodenext" }),
  },
  "types-bundler": {
    what: "npm; strict TypeScript, moduleResolution bundler, declarations checked",
    make: (place) => types(place, { module: "esnext", moduleResolution: "bundler" }),
  },
  "types-oldest": {
    what: "npm; strict TypeScript 5.7, module nodenext, declarations checked",
    make: (place) => types(place, { module: "nodenext" }, "typescript@5.7"),
  },
  vite: { what: "npm; Vite; training in Chromium", make: (place) => vite(place) },
  "browser-only": {
    what: "npm --omit=optional; Vite; training in Chromium",
    make: (place) => vite(place, "--omit=optional"),
  },
  "vite-ssr": { what: "npm; Vite for a server; rendering in Node with nothing installed", make: viteServer },
  webpack: { what: "npm; webpack; training in Chromium", make: webpack },
  esbuild: { what: "npm; esbuild; training in Chromium", make: esbuild },
  next: { what: "npm; Next.js renders on the server; training in Chromium", make: next },
  pnpm: {
    what: "pnpm add --allow-build=webgpu; training in Node",
    make: (place) =>
      runtime(
        place,
        () => place.run(tool(place, "pnpm"), "add", "--allow-build=webgpu", ...PACKAGES),
        process.execPath,
      ),
  },
  deno: {
    what: "deno add; training in Deno",
    make(place) {
      const add = () => place.run(tool(place, "deno"), "add", ...PACKAGES.map((name) => `npm:${name}`));
      return runtime(place, add, tool(place, "deno"), "run", "-A");
    },
  },
  bun: {
    what: "bun add; training in Bun",
    make: (place) => runtime(place, () => place.run(tool(place, "bun"), "add", ...PACKAGES), tool(place, "bun")),
  },
};
