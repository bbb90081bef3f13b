import { posix } from "node:path";
import { checkCycles, graphOfParts } from "./cycles.mjs";
import { isNodeBuiltin, packageOf, readSource } from "./imports.mjs";

const MAX_LINES = 320;

/** Which of our packages each package may import. */
const ARROWS = {
  kernels: [],
  tensor: ["@fcn/kernels"],
  fcn: ["@fcn/tensor"],
};

/** What a package brings along without an import that can be seen: the compiler imports `tslib` for `using`. */
const BROUGHT = { tensor: ["tslib", "webgpu"], fcn: ["tslib", "webgpu"] };

/** Packages that are bundled for browsers, whole: an import of a Node module breaks them there. */
const BROWSER_PACKAGES = ["kernels", "tensor"];
const GPU_FOLDER = "packages/tensor/src/device/";

/**
 * Checks the direction of imports, that they form no cycles (imports of types counted), that packages depend on what
 * they import and on nothing else, and the size of files.
 * @param {{ path: string, text: string }[]} files sources below packages/, paths from the repository root with "/"
 * @param {Record<string, string[]>} dependencies for each package folder, the names its package.json depends on
 * @returns {string[]} one line for each offence: `path:line: what is wrong`
 */
export function checkArrows(files, dependencies) {
  const known = new Set(files.map((file) => file.path));
  const within = [];
  const problems = [];
  const unused = new Map(Object.entries(dependencies).map(([folder, names]) => [folder, new Set(names)]));
  for (const { path, text } of files) {
    const { imports, gpuNames } = readSource(path, text);
    problems.push(...checkLength(path, text), ...checkGpuNames(path, gpuNames));
    problems.push(...imports.flatMap((item) => checkImport(path, item, dependencies)));
    for (const { specifier } of imports) unused.get(packageFolder(path))?.delete(packageOf(specifier));
    for (const { specifier, kind, line } of imports) {
      const to = resolveSource(path, specifier);
      if (kind !== "dynamic" && known.has(to)) within.push({ from: path, to, line });
    }
  }
  for (const [folder, names] of unused) problems.push(...checkUnused(folder, names));
  problems.push(...checkCycles(graphOfParts(within)));
  return problems.sort();
}

function packageFolder(path) {
  return path.split("/")[1];
}

/** The source path that a relative specifier means, `.js` standing for `.ts`; null for other packages. */
function resolveSource(from, specifier) {
  if (!specifier.startsWith(".")) return null;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts");
}

function checkLength(path, text) {
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return lines > MAX_LINES ? [`${path}:${MAX_LINES}: ${lines} lines; ${MAX_LINES} at most: make it two files`] : [];
}

function checkUnused(folder, names) {
  return [...names]
    .filter((name) => !BROUGHT[folder]?.includes(name))
    .map((name) => `packages/${folder}/package.json: nothing in src imports "${name}"`);
}

function checkGpuNames(path, gpuNames) {
  if (path.startsWith(GPU_FOLDER)) return [];
  return gpuNames.map(({ name, line }) => `${path}:${line}: ${name} outside ${GPU_FOLDER}`);
}

function checkImport(path, { specifier, kind, line }, dependencies) {
  const at = `${path}:${line}`;
  const folder = packageFolder(path);
  if (specifier.startsWith(".")) {
    const target = resolveSource(path, specifier);
    return target.startsWith(`packages/${folder}/`)
      ? []
      : [`${at}: "${specifier}" leaves the package: import it by name`];
  }
  if (isNodeBuiltin(specifier)) {
    const breaks = kind !== "type" && BROWSER_PACKAGES.includes(folder);
    return breaks ? [`${at}: import of "${specifier}" breaks browsers: use nodeModule()`] : [];
  }
  const name = packageOf(specifier);
  if (name.startsWith("@fcn/")) {
    return ARROWS[folder].includes(name) ? [] : [`${at}: ${folder} must not import ${name}`];
  }
  if (name === "webgpu" && !path.startsWith(GPU_FOLDER)) return [`${at}: webgpu outside ${GPU_FOLDER}`];
  if (name === "webgpu" && kind === "static")
    return [`${at}: static import of webgpu breaks browsers: use await import()`];
  return dependencies[folder]?.includes(name) ? [] : [`${at}: "${name}" is not a dependency of packages/${folder}`];
}
