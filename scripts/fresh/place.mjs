/** A folder of its own for each fresh project, and programs that run there. */
import { execFile } from "node:child_process";
import { copyFile, lstat, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const FILES = fileURLToPath(new URL("./files/", import.meta.url));
const TIME_LIMIT_MS = 5 * 60_000;

/** What `npm run` tells its scripts of the project that it runs in, which is not the fresh one. */
const OF_NPM = /^(npm_(package|lifecycle|command|execpath|config_local_prefix)|INIT_CWD|NODE_ENV|VITEST)/;

/** Runs a program; returns what it printed. Throws with the end of that where it fails or takes five minutes. */
export async function run(program, args, { cwd, env = {} }) {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_NPM.test(name)));
  const shell = process.platform === "win32";
  const options = { cwd, env: { ...inherited, ...env }, timeout: TIME_LIMIT_MS, maxBuffer: 2 ** 26, shell };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    const printed = `${error.stdout ?? ""}\n${error.stderr ?? ""}`.trim().split("\n").slice(-12).join("\n");
    throw new Error(`${[program, ...args].join(" ")}: ${printed || error.message}`, { cause: error });
  }
}

/** Bytes of all files below a folder, links not followed. */
async function bytesOf(folder) {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await lstat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

export class Place {
  /** `registry`: the address of the registry that has the packages; `tarballs`: their files. */
  constructor(folder, { registry, tarballs, tools }) {
    Object.assign(this, { folder, registry, tarballs, tools });
  }

  /** Makes the project: a manifest, the registry for the packages, and the files of `files/` that are named. */
  async make(...names) {
    await this.write("package.json", JSON.stringify({ name: "fresh", private: true, type: "module" }));
    await this.write(".npmrc", `@fcn:registry=${this.registry}/\n`);
    for (const name of names) await copyFile(join(FILES, name), join(this.folder, name));
  }

  async write(path, text) {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  run(program, ...args) {
    return run(program, args, { cwd: this.folder });
  }

  npm(...args) {
    return this.run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error", ...args);
  }

  /** A program that a package installed here, by the name of its command. */
  bin(name, ...args) {
    return this.run(join(this.folder, "node_modules/.bin", name), ...args);
  }

  /** What is installed, in words. */
  async installed() {
    return `${Math.round((await bytesOf(join(this.folder, "node_modules"))) / 1e6)} MB installed`;
  }
}
