import { type ErrorCode, type TensorCode, TensorError } from "@fcn/tensor";
import { shellWord } from "@fcn/tensor/internal";

interface Failed {
  readonly error: TensorError;
  /** The sub-command that ran. */
  readonly command: string | undefined;
  /** The file that the error concerns, or a word for it. */
  readonly file: string;
}

type Remedy = (failed: Failed) => string;

const DEFECT = "this is a defect of fcn: report it with what --verbose prints";
const defect: Remedy = () => DEFECT;
/** Where to read how a sub-command is used, or fcn itself. */
export const helpOf = (command: string | undefined): string => `see fcn ${command ? `${command} ` : ""}--help`;
const help: Remedy = ({ command }) => helpOf(command);
const smaller: Remedy = () => "use smaller images, crops (--crop), tiles (--tile) or batches (--batch)";
const doctor: Remedy = () => "see what fcn doctor says about this machine";

/** Whether the command opens weights files of any format. */
const opensAny = (command: string | undefined): boolean => command === "convert" || command === "train";
const textList = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

const convertFirst = (file: string, flags: string): string =>
  `convert the weights first: fcn convert ${shellWord(file)} weights.safetensors ${flags}`.trimEnd();

const GIVE_WEIGHTS = "give a safetensors, .npz, .pth or .caffemodel file, or the model.json of TensorFlow.js";

function otherFile({ error, command, file }: Failed): string {
  switch (error.details?.is) {
    case "a PyTorch file (.pth)":
    case "a NumPy archive (.npz)":
      return convertFirst(file, "--model NAME");
    case "one array without a name (.npy)":
    case "a NumPy array (.npy)":
      return 'save it in an archive under its name: numpy.savez("weights.npz", name=array)';
    case "a JSON file":
      return "give the weights file itself; for a model.json of TensorFlow.js, run fcn convert model.json weights.safetensors";
    default:
      return opensAny(command)
        ? GIVE_WEIGHTS
        : "give the weights file of a training run, or one from fcn convert --model";
  }
}

const MISMATCH: Readonly<Record<string, string>> = {
  convert:
    "name the net that the weights are of (--model, --model-option), or say how the names differ (--names, --prefix)",
  train: "name the net that the weights are of (--model, --model-option), or the prefix of its names (--prefix)",
};

/** Remedies at the command line, by error code, for errors whose own remedy is only for code. */
const BY_CODE: Readonly<Record<TensorCode, Remedy>> = {
  "invalid-argument": help,
  "invalid-shape": defect,
  "invalid-dtype": defect,
  "limit-exceeded": smaller,
  "label-out-of-range": () => "see what fcn data check says about the folder",
  "not-finite": () => "lower the learning rate (--lr), or start from other weights (--weights)",
  "device-mismatch": defect,
  disposed: defect,
  "not-replayable": defect,
  "scope-overlap": defect,
  "no-gradient": defect,
  "graph-freed": defect,
  "modified-in-place": defect,
  "state-dict-mismatch": ({ command = "" }) =>
    MISMATCH[command] ?? "give a weights file as a training run or fcn convert --model wrote it",
  "no-webgpu": doctor,
  "no-adapter": doctor,
  "device-lost": () =>
    "run the command again, with --resume if it was a training; smaller batches (--batch) need less memory",
  "out-of-memory": smaller,
  "kernel-compile": doctor,
  "gpu-error": defect,
  defect,
  "corrupt-file": () => "fetch or write the file again: it is incomplete, damaged or of another format",
  "unsupported-file": otherFile,
  "unsafe-pickle": ({ error, command, file }) => {
    const flags = `--opaque ${textList(error.details?.names).map(shellWord).join(" ")}`;
    const again = command === "convert" ? `run it again with ${flags}` : convertFirst(file, flags);
    const save = error.details?.save ?? "save only the weights in PyTorch: torch.save(model.state_dict(), path)";
    return `${save}; or, if the rest of the file does not matter, ${again}`;
  },
  "ambiguous-checkpoint": ({ error, command, file }) => {
    const flags = textList(error.details?.keys).map((key) => `--key ${key === "" ? '""' : shellWord(key)}`);
    return command === "convert"
      ? `choose one: ${flags.join(" or ")}`
      : `choose one (${flags.join(" or ")}) and ${convertFirst(file, flags.at(-1) ?? "")}`;
  },
  "ambiguous-prefix": ({ error, command, file }) => {
    const flags = textList(error.details?.prefixes).map((prefix) => `--prefix ${shellWord(prefix)}`);
    return opensAny(command)
      ? `choose one: ${flags.join(" or ")}`
      : `choose one (${flags.join(" or ")}) and ${convertFirst(file, flags.at(-1) ?? "")}`;
  },
  "unreadable-file": () => "check the path and its permissions",
  "unwritable-file": () => "check the path and its permissions",
  "disk-full": () => "free space on the disk",
  "closed-file": defect,
  unsupported: doctor,
};

/** The remedy for someone who ran `command`, or undefined for an error from outside the library. */
export function commandRemedy(error: unknown, command: string | undefined): string | undefined {
  if (!(error instanceof TensorError)) return undefined;
  if (error.commandFix !== undefined) return error.commandFix;
  const file = typeof error.details?.file === "string" ? error.details.file : "FILE";
  const byCode: Partial<Record<ErrorCode, Remedy>> = BY_CODE;
  return (byCode[error.code] ?? help)({ error, command, file });
}
