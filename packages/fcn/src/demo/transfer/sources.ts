import { access, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { io, TensorError } from "@fcn/tensor";
import { packagesAdvice, parseOsRelease } from "../../../bin/advice.mjs";
import { type LoadedComposite, loadComposite } from "../../data/composite/load.js";
import { mobilenetV2FromTensorFlow } from "../../weights/tensorflow/mobilenetV2.js";
import { NSFWJS_MODEL, type TransferOptions } from "./recipe.js";

/** Where the Debian packages `tuxpaint-stamps-default` and `lomiri-wallpapers-16.04` put their pictures. */
export const PACKAGES = ["tuxpaint-stamps-default", "lomiri-wallpapers-16.04"] as const;
const STAMPS = "/usr/share/tuxpaint/stamps";
const PHOTOS = "/usr/share/backgrounds";

/** Folders of stamps by class: those with enough photographs. */
const CLASSES: Readonly<Record<string, readonly string[]>> = {
  bird: ["animals/birds"],
  mammal: ["animals/mammals"],
  flower: ["plants/flowers"],
  fruit: ["food/fruit"],
  vehicle: ["vehicles", "military/vehicles"],
};

/** Drawings among the photographs, and parts of things. */
const NOT_THINGS = /cartoon|hedgehog|echidna|7spoke256|wheel_tractor|sedan_police/;

/** The photographs of `lomiri-wallpapers-16.04`: other packages fill the same folder. */
const PHOTOGRAPHS: ReadonlySet<string> = new Set([
  "Bridge_by_Sander_Klootwijk.jpg",
  "Dragonfly_by_Bolly.jpg",
  "Picture_0B_by_freespace.jpg",
  "Picture_1A_by_freespace.jpg",
  "Wine_by_Jakkub_Mede.jpg",
  "aitzgorri_by_Aitzol_Berasategi.jpg",
  "analogpattern_by_Peter_Nerlich.jpg",
  "free_by_Peter_Nerlich.jpg",
  "friends_by_Aitzol_Berasategi.jpg",
  "greentock_by_Peter_Nerlich.jpg",
  "life_by_Aitzol_Berasategi.jpg",
  "picosdeeuropa_by_Aitzol_Berasategi.jpg",
  "seeding_by_Clements_Engelhardt.jpg",
  "sunset_by_Aitzol_Berasategi.jpg",
  "umang_by_Abhishek_Mudgal.jpg",
]);

/** Stamps by class and photographs, from the packages or the folders given instead. */
export async function loadStamps({ stamps = STAMPS, photos = PHOTOS }: TransferOptions): Promise<LoadedComposite> {
  for (const folder of [stamps, photos]) await access(folder).catch(() => refuseMissing(folder));
  const folders = Object.entries(CLASSES).map(([name, list]) => [name, list.map((part) => join(stamps, part))]);
  const fromPackage = photos === PHOTOS;
  return loadComposite({
    cutouts: Object.fromEntries(folders) as Record<string, string[]>,
    backgrounds: [photos],
    skip: (path) =>
      NOT_THINGS.test(path) || (fromPackage && dirname(path) === photos && !PHOTOGRAPHS.has(basename(path))),
  });
}

async function refuseMissing(folder: string): Promise<never> {
  const osRelease = parseOsRelease(await readFile("/etc/os-release", "utf8").catch(() => ""));
  const { command, why } = packagesAdvice({ platform: process.platform, osRelease, packages: PACKAGES });
  throw new TensorError({
    code: "missing-data",
    message: `transfer: the folder ${folder} is absent; it comes with the packages ${PACKAGES.join(" and ")}`,
    fix: `${command} (${why})`,
  });
}

/** The trunk's weights from the npm package nsfwjs, or from the file given instead, by the names of our nets. */
export async function loadTrunk({ weights }: TransferOptions): Promise<Record<string, io.HostArray>> {
  return mobilenetV2FromTensorFlow(await io.readTfjs(weights ?? findNsfwjs()));
}

function findNsfwjs(): string {
  try {
    const entry = createRequire(import.meta.url).resolve("nsfwjs");
    return join(dirname(entry), "..", "models", NSFWJS_MODEL, "model.min.js");
  } catch {
    throw new TensorError({
      code: "missing-data",
      message: "transfer: the npm package nsfwjs, which holds the pretrained weights, is not installed",
      fix: "npm install --save-dev --ignore-scripts --legacy-peer-deps nsfwjs@4.3.0",
    });
  }
}
