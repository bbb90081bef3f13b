/**
 * The example of the page: parts of NASA's Blue Marble, which is in the public domain, from the npm package
 * three-globe, with the classes water, lowland and mountains by its water mask and elevation map.
 */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { data } from "@fcn/core";
import sharp from "sharp";

const { createRandom, VOID_LABEL } = data;
const folder = join(dirname(createRequire(import.meta.url).resolve("three-globe")), "../example/img");

export const CLASSES = [
  { id: "water", name: "water", colour: [46, 120, 210] },
  { id: "lowland", name: "lowland", colour: [106, 168, 79] },
  { id: "mountains", name: "mountains", colour: [214, 137, 16] },
];
const [WATER, LOWLAND, MOUNTAINS] = [0, 1, 2];

/** The size of the world map that parts are cut from, and of a part. */
const MAP = { width: 4096, height: 2048 };
export const SIDE = 512;

/** The middles of the parts, in degrees. */
const PARTS = [
  { id: "andes", name: "Andes.jpg", north: -20, east: -62 },
  { id: "himalaya", name: "Himalaya.jpg", north: 26, east: 84 },
  { id: "rockies", name: "Rocky Mountains.jpg", north: 40, east: -112 },
];

/** Elevation, 0 to 255, above which land counts as mountains. */
const HIGH = 60;

/** The parts as `{ id, name, image, labels }`: a sharp image, and the class of each of its pixels. */
export async function loadParts() {
  return Promise.all(
    PARTS.map(async ({ id, name, north, east }) => {
      const left = Math.round(((east + 180) / 360) * MAP.width - SIDE / 2);
      const top = Math.round(((90 - north) / 180) * MAP.height - SIDE / 2);
      const cut = async (file) => {
        const whole = await sharp(join(folder, file)).resize(MAP.width, MAP.height, { fit: "fill" }).png().toBuffer();
        return sharp(whole).extract({ left, top, width: SIDE, height: SIDE });
      };
      const plane = async (file) => (await cut(file)).toColourspace("b-w").removeAlpha().raw().toBuffer();
      const [water, elevation] = [await plane("earth-water.png"), await plane("earth-topology.png")];
      const labels = Uint8Array.from(water, (mask, i) => {
        if (mask >= 192) return WATER;
        if (mask > 64) return VOID_LABEL;
        return elevation[i] > HIGH ? MOUNTAINS : LOWLAND;
      });
      return { id, name, image: await cut("earth-blue-marble.jpg"), labels };
    }),
  );
}

/**
 * Bent lines at random that stay inside one class by their whole width, as a person might paint them, out of `tries`:
 * `{ label, points }`.
 */
export function possibleLines(labels, { width, random, tries }) {
  return Array.from({ length: tries }, () => bentLine(random)).flatMap((points) => {
    const [x, y] = points[0].map(Math.round);
    const label = x < SIDE && y < SIDE ? labels[y * SIDE + x] : VOID_LABEL;
    const isWithin = label !== VOID_LABEL && points.every((point) => isInside(labels, label, point, width));
    return isWithin ? [{ label, points: points.map((point) => point.map(Math.round)) }] : [];
  });
}

/** `count` strokes of each class that has room, class by class in turn, each far from those before it. */
export function paintStrokes(labels, { count, width, seed }) {
  const lines = possibleLines(labels, { width, random: createRandom(seed), tries: 4000 });
  const strokes = [];
  const gap = (points) => Math.min(...strokes.flatMap(({ shape }) => shape.points.map((p) => distance(p, points[2]))));
  for (let n = 0; n < count; n++) {
    for (const [label, { id }] of CLASSES.entries()) {
      const own = lines.filter((line) => line.label === label);
      if (own.length === 0) continue;
      const { points } = own.reduce((best, line) => (gap(line.points) > gap(best.points) ? line : best));
      strokes.push({ id: `${id}-${seed}-${n}`, classId: id, shape: { kind: "line", points, width } });
    }
  }
  return strokes;
}

function bentLine(random) {
  let [x, y, angle] = [random() * SIDE, random() * SIDE, random() * 2 * Math.PI];
  const bend = (random() - 0.5) * 0.8;
  const step = 8 + random() * 14;
  return Array.from({ length: 5 }, () => {
    const point = [x, y];
    [x, y, angle] = [x + step * Math.cos(angle), y + step * Math.sin(angle), angle + bend];
    return point;
  });
}

const distance = ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by);

/** Whether a disc as wide as a stroke lies in a class. */
function isInside(labels, label, [x, y], width) {
  const radius = Math.ceil(width / 2) + 1;
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      const [px, py] = [Math.round(x) + dx, Math.round(y) + dy];
      if (dx * dx + dy * dy > radius * radius) continue;
      if (px < 0 || py < 0 || px >= SIDE || py >= SIDE || labels[py * SIDE + px] !== label) return false;
    }
  }
  return true;
}
