import { type Fix, hasCode, type TensorError } from "../../plain/errors.js";
import { fileError, type Place } from "../files/errors.js";
import type { Source } from "../files/source.js";
import { GUESSED_BYTES, type Guess, guessContent } from "./guess.js";

/** The kinds of files, as {@link guessContent} names them, that belong to a format. */
const OWN = {
  "a safetensors file": ["a safetensors file"],
  "a .npy file": ["a NumPy array (.npy)"],
  "a .npz file": ["a NumPy archive (.npz)", "a zip archive"],
  "a PyTorch file": ["a PyTorch file (.pth)", "a NumPy archive (.npz)", "a zip archive", "a Python pickle"],
  "a .caffemodel file": [],
  "a TensorFlow.js model": ["a JSON file"],
  "a file of weights": [
    ...["a safetensors file", "a NumPy archive (.npz)", "a NumPy array (.npy)", "a PyTorch file (.pth)"],
    ...["a zip archive", "a Python pickle"],
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The fix by kind of file, if the guess itself has none. */
const REMEDIES: Readonly<Record<string, Fix>> = {
  "a safetensors file": { code: "read it with io.readSafetensors or io.openWeights" },
  "one array without a name (.npy)": { code: "read it with io.readNpy" },
  "a NumPy array (.npy)": { code: "read it with io.readNpy" },
  "a NumPy archive (.npz)": { code: "read it with io.readNpz or io.openWeights" },
  "a PyTorch file (.pth)": { code: "read it with io.readPth or io.openWeights" },
  "a Python pickle": "load it in Python and write its arrays as .npz, with numpy.savez",
  "a JSON file": {
    code: "give the file of weights itself; the model.json of TensorFlow.js is read with io.readTfjs",
  },
};

/** The fix for any other file. */
export const GIVE_WEIGHTS = "give a safetensors, .npz, .pth or .caffemodel file";

/**
 * Runs `use` on a file that should be `wanted`. If that fails because the file is of another kind, the error says
 * which.
 */
export async function guessed<T>(source: Source, wanted: keyof typeof OWN, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!hasCode(error, "corrupt-file", "unsupported-file")) throw error;
    const guess = guessContent(new Uint8Array(await source.read(0, Math.min(GUESSED_BYTES, source.size))));
    const own: readonly string[] = OWN[wanted];
    throw guess === undefined || own.includes(guess.what) ? error : otherFile(source, wanted, guess);
  }
}

/** The error for a file of the wrong kind. */
export function otherFile(at: Place, wanted: string, { what, fix }: Guess): TensorError {
  const remedy = fix ?? REMEDIES[what] ?? (wanted === "a file of weights" ? GIVE_WEIGHTS : `give ${wanted}`);
  return fileError(at, "unsupported-file", `it is ${what}, not ${wanted}`, remedy, { is: what, file: at.file });
}
