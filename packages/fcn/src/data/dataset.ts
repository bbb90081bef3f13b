import type { Colour } from "../report/colours.js";
import type { SegmentationSample } from "./sample.js";

/** Labelled pictures that are loaded one at a time. */
export interface SegmentationDataset {
  readonly length: number;
  /** Names by label. */
  readonly classes: readonly string[];
  /** Red, green, blue by label. */
  readonly palette: readonly Colour[];
  /** The name of a sample, known without loading it. */
  name(index: number): string;
  /** Decodes one sample. Throws a TensorError that names the file when that fails. */
  load(index: number): Promise<SegmentationSample>;
}

/** A folder with labelled pictures, as {@link SegmentationDataset}s by split. */
export interface OpenedData {
  readonly root: string;
  readonly classes: readonly string[];
  readonly palette: readonly Colour[];
  readonly splits: Readonly<Record<string, SegmentationDataset>>;
}
