import { bringBack } from "./bringBack.js";
import { addImageFiles } from "./images.js";
import { forget, learner } from "./learning.js";
import { note, underWay } from "./notes.js";
import { edit, session, settings } from "./state.js";
import { withClassesOf } from "./weightClasses.js";

/** Weights of other programs, which the library reads in Node only. */
const FOREIGN = /\.(pth|pt|onnx|npz|h5|ckpt|caffemodel)$/i;

/** Takes files of any kind that the page knows: images, a zip, a folder, weights. */
export async function takeFiles(files: readonly File[]): Promise<void> {
  const weights = files.find(({ name }) => name.endsWith(".safetensors"));
  const foreign = files.find(({ name }) => FOREIGN.test(name));
  const zip = files.find(({ name, type }) => name.endsWith(".zip") || type === "application/zip");
  if (weights !== undefined) return takeWeights(weights);
  if (foreign !== undefined) return refuse(foreign.name);
  if (zip !== undefined) return bringBack(zip);
  if (isDataSet(files)) return bringBack(files);
  await addImageFiles(files.filter(isNotHidden).map((file) => ({ name: file.name, file })));
}

function refuse(name: string): void {
  note(
    "error",
    `"${name}" is not a weights file that the studio takes; it takes .safetensors files of this project.`,
    "Convert it with the command line: fcn convert IN OUT.safetensors, and drop what that writes.",
  );
}

async function takeWeights(file: File): Promise<void> {
  const taken = await underWay(`Reading ${file.name}`, async () => {
    const says = await learner().loadWeights(file);
    // The learner takes the file's scores for classes of the same name as soon as the session has them.
    edit(withClassesOf(session.value, says.classes, says.palette));
    return says;
  });
  if (taken === undefined) return;
  forget();
  settings.value = { ...settings.value, net: "own" };
  note("info", `The net is ${taken.model} with ${taken.classes.length} classes; undo brings your classes back.`);
}

const isNotHidden = ({ name }: File): boolean => !name.startsWith(".");
const isDataSet = (files: readonly File[]): boolean =>
  files.some(({ webkitRelativePath }) => /(^|\/)masks\/[^/]+\.png$/i.test(webkitRelativePath));
