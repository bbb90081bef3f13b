import { type Colour, VOID_COLOUR } from "../../labels/colours.js";
import { type SegmentationSample, VOID_LABEL } from "../../labels/sample.js";
import { labelCell, overlayCell, photoCell } from "./cells.js";
import { renderPanels } from "./panels.js";

/** The names and colours of labels. */
interface Names {
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
}

/** Draws samples as a PNG image: the image, its labels, and both, with the names of the classes shown (Node). */
export function sampleSheet(
  title: string,
  samples: readonly SegmentationSample[],
  { classes, palette }: Names,
): Promise<Uint8Array> {
  const shown = new Set(samples.flatMap(({ labels }) => [...new Set(labels)]));
  const legend = classes.map((name, label) => ({ name, colour: palette[label] ?? VOID_COLOUR, label }));
  return renderPanels({
    title,
    columns: [{ title: "Image" }, { title: "Labels" }, { title: "Both" }],
    rows: samples.map(({ name, image, labels }) => ({
      title: name,
      cells: [photoCell(image), labelCell(labels, image, palette), overlayCell(image, labels, palette)],
    })),
    legend: [...legend, { name: "void", colour: VOID_COLOUR, label: VOID_LABEL }].filter(({ label }) =>
      shown.has(label),
    ),
  });
}
