// Where `npm run transfer` takes its images from.
import { readdirSync } from "node:fs";
import { join } from "node:path";

const STAMPS = "/usr/share/tuxpaint/stamps";
const PHOTOS = "/usr/share/backgrounds";

/** Each Debian package, the option that replaces it, and a path that shows that it is there. */
export const PACKAGES = [
  { name: "tuxpaint-stamps-default", option: "stamps", path: join(STAMPS, "animals") },
  { name: "lomiri-wallpapers-16.04", option: "photos", path: join(PHOTOS, "Dragonfly_by_Bolly.jpg") },
];

/** Folders of stamps by class: those with enough photographs. */
const CLASSES = {
  bird: ["animals/birds"],
  mammal: ["animals/mammals"],
  flower: ["plants/flowers"],
  fruit: ["food/fruit"],
  vehicle: ["vehicles", "military/vehicles"],
};

/** Drawings among the photographs, and parts of things. */
const NOT_THINGS = "cartoon|hedgehog|echidna|7spoke256|wheel_tractor|sedan_police";

/** The photographs of `lomiri-wallpapers-16.04`: other packages fill the same folder. */
const PHOTOGRAPHS = [
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
];

/** The images as arguments of `fcn data compose`. */
export function imagesOf({ stamps = STAMPS, photos }) {
  const cutouts = Object.entries(CLASSES).flatMap(([name, folders]) => [
    "--cutouts",
    `${name}=${folders.map((folder) => join(stamps, folder)).join(",")}`,
  ]);
  const present = photos === undefined ? new Set(readdirSync(PHOTOS)) : undefined;
  const backgrounds = photos ?? PHOTOGRAPHS.filter((name) => present.has(name)).map((name) => join(PHOTOS, name));
  return [...cutouts, "--backgrounds", ...[backgrounds].flat(), "--skip", NOT_THINGS];
}
