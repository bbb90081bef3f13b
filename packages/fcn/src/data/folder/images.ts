import { IMAGE_PATTERN } from "../decode/image.js";
import type { Remedy } from "../files/errors.js";
import {
  isLostName,
  joinPath,
  LOST_NAME,
  listEntries,
  lostNameFix,
  sameText,
  withoutExtension,
} from "../files/files.js";
import { type DataRemark, withFix } from "../files/remarks.js";

const UNREAD_PATTERN = /\.(bmp|tga|p[bgpn]m|hei[cf]|jp2|j2k|jxl|psd|dng|cr2|nef|exr|hdr|svg|ico|npy|mat)$/i;

export interface Images {
  readonly files: Map<string, string>;
  /** Names of broken links. */
  readonly broken: Set<string>;
  /** Files in image formats that are not supported, such as .bmp, by name. */
  readonly unread: Map<string, string>;
}

export async function imagesByName(folder: string, remarks: DataRemark[]): Promise<Images> {
  const found = await listEntries(folder, { recursive: true });
  const files = new Map<string, string>();
  const twins: Said[] = [];
  const images = found.files.filter((entry) => IMAGE_PATTERN.test(entry));
  for (const file of images.filter((entry) => !isLostName(entry))) {
    const name = sameText(withoutExtension(file));
    const first = files.get(name);
    if (first === undefined) files.set(name, joinPath(folder, file));
    else twins.push({ file: joinPath(folder, file), text: `${first} has the same name; this one is left out` });
  }
  const lost = images.filter(isLostName).map((file) => joinPath(folder, file));
  const broken = found.broken.filter(({ path }) => IMAGE_PATTERN.test(path));
  const links = broken.map(({ path, target }) => {
    return { file: joinPath(folder, path), text: `it is a link to ${target}, which does not exist` };
  });
  remarks.push(
    ...grouped(
      "same-name",
      folder,
      twins,
      (count) => `${count} files differ from another only in the extension of their name and are left out`,
    ),
    ...grouped(
      "lost-name",
      folder,
      lost.map((file) => ({ file, text: `${LOST_NAME} (${lostNameFix(file)})` })),
      (count) => `${count} files have names that are not in UTF-8, so that they cannot be opened`,
    ),
    ...grouped("broken-link", folder, links, (count) => `${count} files are links to files that do not exist`),
  );
  const others = found.files.filter((entry) => UNREAD_PATTERN.test(entry));
  const unread = new Map(others.map((file) => [sameText(withoutExtension(file)), joinPath(folder, file)]));
  return { files, unread, broken: new Set(broken.map(({ path }) => sameText(withoutExtension(path)))) };
}

/** What to report about one file. */
export interface Said {
  readonly file: string;
  readonly text: string;
}

/** Up to this many files get a line each; more share one. */
const MOST_ALONE = 5;

/** Reports problems with a common cause: a line for each file if there are few, otherwise one line with an example. */
export function grouped(
  code: string,
  folder: string,
  list: readonly Said[],
  together: (count: number) => string,
  hint?: Remedy,
): DataRemark[] {
  const about = { level: "problem", code } as const;
  if (list.length <= MOST_ALONE)
    return list.map(({ file, text }) => ({ ...about, file, ...withFix(text, hint?.code, hint?.command) }));
  const [{ file, text }] = list as readonly [Said];
  const said = withFix(`${together(list.length)}, such as ${file}: ${text}`, hint?.code, hint?.command);
  const files = list.map((said) => said.file);
  return [{ ...about, file: folder, ...said, files }];
}
