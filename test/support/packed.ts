import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A folder outside this repository with the packages as `npm pack` ships them, and nothing else installed but tslib and
 * webgpu.
 */
export class PackedApp {
  readonly folder = mkdtempSync(join(tmpdir(), "fcn-packed-"));

  constructor() {
    const { npm_execpath: cli } = process.env;
    const [program, head] = cli?.endsWith(".js") ? [process.execPath, [cli]] : ["npm", []];
    // The build is there already, so no script has to make it.
    const args = [...head, "pack", "--workspaces", "--ignore-scripts", "--json", "--pack-destination", this.folder];
    const packed: unknown = JSON.parse(execFileSync(program, args, { cwd: root, encoding: "utf8" }));
    for (const { name, filename } of Object.values(packed as Record<string, { name: string; filename: string }>)) {
      const target = join(this.folder, "node_modules", name);
      mkdirSync(target, { recursive: true });
      const file = join(this.folder, filename);
      execFileSync("tar", ["-xzf", file, "-C", target, "--strip-components=1"]);
    }
    for (const name of ["tslib", "webgpu"]) {
      symlinkSync(join(root, "node_modules", name), join(this.folder, "node_modules", name), "junction");
    }
  }

  /** Files that the package ships. */
  files(name: string): string[] {
    const folder = join(this.folder, "node_modules", name);
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => file.replaceAll("\\", "/"));
  }

  /** Runs the script in Node; returns what it printed. Throws where it fails. */
  node(code: string): string {
    const file = join(this.folder, "script.mjs");
    writeFileSync(file, code);
    return execFileSync(process.execPath, [file], {
      cwd: this.folder,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** A page with this script, built by Vite as it stands; returns its warnings. Throws where Vite does. */
  async vite(code: string): Promise<string[]> {
    const page = mkdtempSync(join(this.folder, "page-"));
    writeFileSync(join(page, "index.html"), '<script type="module" src="./main.js"></script>');
    writeFileSync(join(page, "main.js"), code);
    const warnings: string[] = [];
    const note = (text: string): unknown => warnings.push(text);
    const silent = { info: () => {}, clearScreen: () => {}, hasErrorLogged: () => false, hasWarned: false };
    const customLogger = { ...silent, warn: note, warnOnce: note, error: note };
    const { NODE_ENV } = process.env;
    process.env.NODE_ENV = "production";
    try {
      await vite({ root: page, configFile: false, customLogger, build: { write: false } });
    } finally {
      process.env.NODE_ENV = NODE_ENV;
    }
    return warnings;
  }

  /**
   * The module that esbuild makes of this script for browsers, where `process` is not defined, and its warnings. Throws
   * where esbuild does.
   */
  async esbuild(code: string): Promise<{ file: string; warnings: string[] }> {
    const file = join(mkdtempSync(join(this.folder, "bundle-")), "bundle.mjs");
    const { warnings } = await esbuild({
      stdin: { contents: code, resolveDir: this.folder },
      outfile: file,
      bundle: true,
      platform: "browser",
      format: "esm",
      define: { process: "undefined" },
      logLevel: "silent",
    });
    return { file, warnings: warnings.map(({ text }) => text) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
