/** The name of a file without its folders. */
export const fileName = (path: string): string => path.replace(/^.*[/\\]/, "");
/** The folders of a path with the trailing "/"; empty if it has none. */
export const folderOf = (path: string): string => path.slice(0, path.length - fileName(path).length);
export const withoutExtension = (path: string): string => path.replace(/\.[^./\\]+$/, "");
export const joinPath = (...parts: readonly string[]): string => parts.filter((part) => part !== "").join("/");
