import { type Options, Presets, SingleBar } from "cli-progress";

/**
 * A progress bar that leaves the terminal as it is: a hidden cursor, or lines that do not wrap, would stay so where the
 * program is killed or the driver takes it down. Text beyond the width of the terminal is cut off.
 */
export const progressBar = (stream: NodeJS.WriteStream, format: string, options: Options = {}): SingleBar =>
  new SingleBar({ ...options, format, stream, hideCursor: false, linewrap: true }, Presets.shades_classic);
