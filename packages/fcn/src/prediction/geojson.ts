import type { LabelPolygon } from "./polygons.js";

/** A FeatureCollection of RFC 7946, with coordinates in pixels in place of degrees. */
export interface LabelGeoJson {
  readonly type: "FeatureCollection";
  readonly features: readonly {
    readonly type: "Feature";
    readonly properties: { readonly label: number; readonly class: string | null; readonly area: number };
    readonly geometry: { readonly type: "Polygon"; readonly coordinates: LabelPolygon["rings"] };
  }[];
}

/**
 * Polygons as GeoJSON: a feature a region, with its label, the name of its class and its area in pixels. Coordinates are pixels from the upper left
 * of the picture, x to the right and y down.
 */
export function toGeoJson(polygons: readonly LabelPolygon[], classes: readonly string[] = []): LabelGeoJson {
  const features = polygons.map(({ label, area, rings }) => ({
    type: "Feature" as const,
    properties: { label, class: classes[label] ?? null, area },
    geometry: { type: "Polygon" as const, coordinates: rings },
  }));
  return { type: "FeatureCollection", features };
}
