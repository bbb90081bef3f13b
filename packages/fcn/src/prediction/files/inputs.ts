import { basename, isAbsolute, normalize, relative, sep } from "node:path";
import { hasCode } from "@fcn/tensor";
import { reworded } from "@fcn/tensor/internal";
import { decodeImage, IMAGE_PATTERN } from "../../data/decode/image.js";
import type { PixelScale } from "../../data/decode/pixelScale.js";
import { fileError } from "../../data/files/errors.js";
import { joinPath, kindOf, listEntries, readBytes, withoutExtension } from "../../data/files/files.js";
import type { RasterImage } from "../../labels/sample.js";
import { isRemote } from "../../places/address.js";
import { toRaster } from "../image.js";
import { checkCount, failed, type Input, type InputOptions, noImages, noMatch, onlyResults, PATTERN } from "./input.js";
import { realName } from "./paths.js";
import { expandAddress } from "./remoteInputs.js";
import { Results } from "./results.js";

export type { Input, InputOptions } from "./input.js";

const STDIN = "standard input";
/** More than any image needs. Standard input may never end. */
const MOST_BYTES = 2 ** 30;

/**
 * The images that the arguments name: files, folders with all their images, patterns such as `photos/*.jpg`, addresses
 * of web servers and of buckets, and `-` for standard input. A name without a match becomes an image that fails to
 * load, so that the others are still predicted. Results of earlier runs are not inputs. Throws `limit-exceeded` for
 * more images than `most`.
 */
export async function expandInputs(names: readonly string[], options: InputOptions = {}): Promise<Input[]> {
  const inputs: Input[] = [];
  const seen = new Set<string>();
  const results = new Results(options.out);
  for (const name of names) {
    for (const input of await expandOne(name, options, results)) {
      const key = input.path === undefined ? (input.address ?? input.name) : await realName(input.path);
      if (!seen.has(key)) inputs.push(input);
      seen.add(key);
    }
    checkCount(inputs.length, options.most);
  }
  const { named } = results;
  if (named > 0) options.onWarning?.(`left out ${named} of the files named: results of fcn predict in ${options.out}`);
  return inputs.length > 0 || names.length === 0 ? inputs : [onlyResults(names[0] as string)];
}

async function expandOne(name: string, options: InputOptions, results: Results): Promise<Input[]> {
  if (name === "-") return [{ name: STDIN, stem: "stdin", load: (scale) => readStandardInput(options, scale) }];
  try {
    if (isRemote(name)) return await expandAddress(name, options, results);
  } catch (error) {
    if (hasCode(error, "limit-exceeded")) throw error;
    return [failed(name, error)];
  }
  const kind = await kindOf(name).catch((error: unknown) => failed(name, error));
  if (kind === "file") return (await results.isNamed(name)) ? [] : [fileInput(name, basename(name))];
  if (kind === "folder") return expandFolder(name, options, results);
  if (kind !== undefined) return [kind];
  const matches = PATTERN.test(name) ? await matching(name) : [];
  if (matches.length > 0) {
    const images = await results.without(matches);
    return images.length > 0 ? images.map((path) => fileInput(path, basename(path))) : [onlyResults(name)];
  }
  return [noMatch(name)];
}

async function expandFolder(folder: string, { out, onWarning }: InputOptions, results: Results): Promise<Input[]> {
  const found = await listEntries(folder, { recursive: true }).catch((error: unknown) => failed(folder, error));
  if (!("files" in found)) return [found];
  const { files, broken } = found;
  for (const { path, target } of broken) {
    onWarning?.(`left out ${joinPath(folder, path)}: a link to ${target}, which does not exist`);
  }
  const within = out === undefined || isRemote(out) ? "" : relative(folder, out);
  const isWithin = (file: string): boolean => within !== "" && normalize(file).startsWith(within + sep);
  const candidates = files.filter((file) => IMAGE_PATTERN.test(file) && !isWithin(file));
  const images = await results.without(candidates, folder);
  if (images.length < candidates.length && images.length === 0) return [onlyResults(folder)];
  if (images.length === 0) return [noImages(folder)];
  return images.map((file) => fileInput(joinPath(folder, file), file));
}

async function matching(pattern: string): Promise<string[]> {
  const { glob } = await import("tinyglobby");
  const options = { absolute: isAbsolute(pattern), expandDirectories: false };
  return (await glob(sep === "\\" ? pattern.replaceAll(sep, "/") : pattern, options)).sort();
}

const fileInput = (path: string, file: string): Input => ({
  name: path,
  stem: withoutExtension(file),
  path,
  load: async (scale) => (await decodeImage(path, await readBytes(path), scale)).image,
});

async function readStandardInput({ raw }: InputOptions, scale?: PixelScale): Promise<RasterImage> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > MOST_BYTES) {
      throw fileError(
        "limit-exceeded",
        STDIN,
        `it is longer than ${MOST_BYTES} bytes`,
        "pipe one image into the command",
      );
    }
  }
  const bytes = new Uint8Array(Buffer.concat(parts));
  if (raw === undefined) {
    if (length === 0) throw fileError("corrupt-file", STDIN, "it is empty", "pipe an image file into the command");
    const { image } = await decodeImage(STDIN, bytes, scale).catch((error: unknown) => {
      throw hasCode(error, "unsupported-file") ? reworded(error, { fix: PIPE_ONE }) : error;
    });
    return image;
  }
  const [height, width] = raw;
  if (length !== height * width * 4) {
    const problem = `it holds ${length} bytes, but raw pixels of ${height}x${width} are ${height * width * 4}`;
    throw fileError("invalid-shape", STDIN, problem, "pass the height and width of the pixels, four bytes each");
  }
  return toRaster({ data: bytes, height, width });
}

const PIPE_ONE =
  "pipe one image, JPEG or PNG, into the command; from a list of files: xargs fcn predict ... < list.txt";
