/**
 * The data sets of `npm run quality`, each from packages that anybody can install: images with a class at each pixel,
 * some to learn from and others to be scored on.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { data } from "@fcn/core";
import { EARTH_CLASSES } from "../../packages/fcn/dist/demo/earth/labels.js";
import { loadEarth } from "../../packages/fcn/dist/demo/earth/load.js";
import { installMissing, packagesAdvice } from "../../scripts/lib/packages.mjs";
import { fail, readSystem } from "../../scripts/lib/system.mjs";
import { imagesOf, PACKAGES } from "../../scripts/lib/transfer-sources.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const TEMPLATES = "/usr/share/mricron/templates";

/** Every set by name: what it is, the Debian packages that it needs, and how it is loaded. */
export const SETS = {
  earth: { title: "satellite tiles (npm three-globe)", packages: [], load: earth },
  composite: { title: "stamps on photographs (Debian tuxpaint-stamps-default)", packages: PACKAGES, load: composite },
  brain: {
    title: "slices of a brain (Debian mricron-data)",
    packages: [{ name: "mricron-data", path: join(TEMPLATES, "ch2.nii.gz") }],
    load: brain,
  },
};

/** Installs the Debian packages of sets, or says how to. */
export function ensurePackages(names) {
  const wanted = names.flatMap((name) => SETS[name].packages);
  const packages = wanted.filter(({ path }) => !existsSync(path)).map(({ name }) => name);
  const { step, problem } = installMissing(packages);
  if (problem !== null) fail(problem.message, problem.fix);
  if (step !== "advise") return;
  const { command, why } = packagesAdvice({ ...readSystem(), packages });
  fail(`the images for this command are absent: ${packages.join(" and ")}`, `${command}\n     (${why})`);
}

/** Water, lowland and mountain on NASA's Blue Marble: the set of `npm run demo`. */
async function earth() {
  const { train, validation } = await loadEarth();
  return { classes: EARTH_CLASSES, train, validation };
}

/** Cut-outs of five kinds on photographs, as `npm run transfer` composes them. */
async function composite({ samples = 240, validation = 60 } = {}) {
  const folder = join(root, "out/quality/composite");
  rmSync(folder, { recursive: true, force: true });
  const sizes = ["--samples", samples, "--validation", validation, "--size", 128, "--seed", 1];
  const args = ["data", "compose", ...imagesOf({}), ...sizes, "--out", folder].map(String);
  const { status, stderr } = spawnSync(process.execPath, [join(root, "packages/fcn/bin/fcn.js"), ...args], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  const { classes, splits } = await data.open(folder);
  const all = (set) => Promise.all(Array.from({ length: set.length }, (_, i) => set.load(i)));
  return { classes, train: await all(splits.train), validation: await all(splits.val) };
}

const BRAIN_CLASSES = ["other", "cortex", "deep nuclei", "cerebellum"];
/**
 * Regions of the atlas AAL (Tzourio-Mazoyer et al. 2002): 71 to 78 are the deep nuclei, 91 on the cerebellum, 0 all
 * else, white matter included. Hippocampus and amygdala count as cortex.
 */
const brainClass = (region) => {
  if (region === 0) return 0;
  if (region >= 91) return 3;
  return region >= 71 && region <= 78 ? 2 : 1;
};

/** The voxels of a NIfTI-1 file of bytes, [z][y][x] in one array. */
function readVolume(name) {
  const bytes = gunzipSync(readFileSync(join(TEMPLATES, name)));
  const size = [42, 44, 46].map((at) => bytes.readInt16LE(at));
  if (bytes.readInt16LE(70) !== 2) throw new Error(`${name} does not hold bytes`);
  return { size, values: bytes.subarray(bytes.readFloatLE(108)) };
}

/**
 * Sagittal slices of the brain Colin27, a mean of 27 magnetic resonance images of one person, with the atlas AAL that
 * was drawn on it: it learns from slices of the left half of the head and is scored on those of the right.
 */
async function brain() {
  const { size, values: head } = readVolume("ch2.nii.gz");
  const { values: regions } = readVolume("aal.nii.gz");
  const [width, depth, top] = size;
  const [rows, columns] = [160, 208];
  const slice = (x) => {
    const image = new Uint8Array(rows * columns * 3);
    const labels = new Uint8Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const voxel = ((top - 1 - row) * depth + column) * width + x;
        const at = row * columns + column;
        image.fill(head[voxel], 3 * at, 3 * at + 3);
        labels[at] = brainClass(regions[voxel]);
      }
    }
    return { name: `x${x}`, image: { data: image, height: rows, width: columns, channels: 3 }, labels };
  };
  const every = (from, to, step) =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => slice(from + i * step));
  const middle = width >> 1;
  return {
    classes: BRAIN_CLASSES,
    train: every(middle - 70, middle - 4, 1),
    validation: every(middle + 5, middle + 70, 2),
  };
}
