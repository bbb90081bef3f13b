import type { LabelPolygon } from "./polygons.js";

/** A FeatureCollection of RFC 7946, with coordinates in pixels instead of degrees. */
export interface LabelGeoJson {
  readonly type: "FeatureCollection";
  readonly features: readonly LabelFeature[];
}

/** A region. */
export interface LabelFeature {
  readonly type: "Feature";
  readonly properties: { readonly label: number; readonly class: string | null; readonly area: number };
  readonly geometry: { readonly type: "Polygon"; readonly coordinates: LabelPolygon["rings"] };
}

/**
 * Polygons as GeoJSON, one feature per region with its label, the name of its class and its area in pixels. Coordinates
 * are pixels from the top left of the image, x to the right and y down.
 */
export function toGeoJson(polygons: readonly LabelPolygon[], classes: readonly string[] = []): LabelGeoJson {
  return { type: "FeatureCollection", features: polygons.map((polygon) => toFeature(polygon, classes)) };
}

const toFeature = ({ label, area, rings }: LabelPolygon, classes: readonly string[]): LabelFeature => ({
  type: "Feature",
  properties: { label, class: classes[label] ?? null, area },
  geometry: { type: "Polygon", coordinates: rings },
});

/** Characters per piece. */
const PIECE = 2 ** 20;

/** The text of {@link toGeoJson} in pieces, because that of a noisy map may exceed the length of a string. */
export function* geoJsonPieces(polygons: Iterable<LabelPolygon>, classes: readonly string[]): Generator<string> {
  let piece = '{"type":"FeatureCollection","features":[';
  let separator = "";
  for (const polygon of polygons) {
    piece += separator + JSON.stringify(toFeature(polygon, classes));
    separator = ",";
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield `${piece}]}`;
}
