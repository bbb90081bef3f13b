import { type Options, Presets, SingleBar } from "cli-progress";

/**
 * Creates a progress bar that leaves the terminal's settings alone: a hidden cursor or disabled line wrapping would
 * persist if the process were killed or crashed by the driver. Text wider than the terminal is cut off.
 */
export const progressBar = (stream: NodeJS.WriteStream, format: string, options: Options = {}): SingleBar =>
  new SingleBar({ ...options, format, stream, hideCursor: false, linewrap: true }, Presets.shades_classic);
