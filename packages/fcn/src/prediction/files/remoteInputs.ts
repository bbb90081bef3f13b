import { decodeImage, IMAGE_PATTERN } from "../../data/decode/image.js";
import { damagedFile } from "../../data/files/errors.js";
import { fileName, withoutExtension } from "../../data/files/files.js";
import { addressKind, bucketAddress, checkName, splitAddress } from "../../places/address.js";
import { openPlace } from "../../places/open.js";
import type { Place } from "../../places/place.js";
import { checkCount, failed, type Input, type InputOptions, noImages, noMatch, onlyResults, PATTERN } from "./input.js";
import type { Results } from "./results.js";

/** The images that an address names: a file of a web server; an object, a pattern of keys or a prefix of a bucket. */
export async function expandAddress(address: string, { out, most }: InputOptions, results: Results): Promise<Input[]> {
  if (addressKind(address) === "http") {
    const { place, name } = splitAddress(address);
    return [placeInput(await openPlace(place), name, name)];
  }
  const { bucket, key } = bucketAddress(address);
  const isPattern = PATTERN.test(key);
  const root = await openPlace(`s3://${bucket}`);
  if (key !== "" && !key.endsWith("/")) {
    // Lists of many images are not asked for one by one: what is missing shows when it is read.
    if ((IMAGE_PATTERN.test(key) && !isPattern) || (await root.stat(key)) !== undefined) {
      return (await results.isNamed(address)) ? [] : [placeInput(root, key, fileName(key))];
    }
    const matches = isPattern ? await matching(root, key, most) : [];
    if (matches.length > 0) return chosen(address, root, matches, fileName, results);
  }
  const folder = await openPlace(address);
  const within = out === undefined ? "" : `${(await openPlace(out)).address}/`;
  const found: string[] = [];
  for await (const { name } of folder.list()) {
    const isHidden = name.split("/").some((part) => part.startsWith(".") && part !== "..");
    const isWithin = within.startsWith(`${folder.address}/`) && within !== `${folder.address}/`;
    if (isHidden || !IMAGE_PATTERN.test(name) || (isWithin && folder.addressOf(name).startsWith(within))) continue;
    found.push(name);
    // A list whose images are too many is not read to its end.
    checkCount(found.length, most);
  }
  if (found.length === 0 && key !== "" && !key.endsWith("/")) return [noMatch(address)];
  return found.length === 0 ? [noImages(address)] : chosen(address, folder, found, (name) => name, results);
}

async function matching(root: Place, pattern: string, most?: number): Promise<string[]> {
  const { default: picomatch } = await import("picomatch");
  const isMatch = picomatch(pattern);
  const prefix = pattern.slice(0, pattern.search(/[*?[\]{}!()+@\\]/));
  const found: string[] = [];
  for await (const { name } of root.list(prefix)) {
    if (isMatch(name)) found.push(name);
    checkCount(found.length, most);
  }
  return found;
}

/** The named objects that are not results, in the order in which files of a folder come. */
async function chosen(
  address: string,
  place: Place,
  names: readonly string[],
  stemOf: (name: string) => string,
  results: Results,
): Promise<Input[]> {
  const inputs: Input[] = [];
  for (const name of [...names].sort()) {
    const input = placeInput(place, name, stemOf(name));
    if (input.address === undefined || !(await results.isResultObject(input.address))) inputs.push(input);
  }
  return inputs.length > 0 ? inputs : [onlyResults(address)];
}

function placeInput(place: Place, name: string, file: string): Input {
  const address = place.addressOf(name);
  try {
    // A key may hold "..", after which no file of results can be named.
    checkName(place.address, name);
  } catch (error) {
    return failed(address, error);
  }
  return {
    name: address,
    stem: withoutExtension(file.replaceAll("\\", "_")),
    address,
    load: async (scale) => {
      const bytes = await place.read(name);
      if (bytes.length === 0) throw damagedFile(address, "it is empty (0 bytes)");
      return (await decodeImage(address, bytes, scale)).image;
    },
  };
}
