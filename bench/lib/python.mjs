/** Debian's Python, for which `python3-torch` and `python3-torchvision` install. */
export const PYTHON = process.platform === "linux" ? "/usr/bin/python3" : "python3";
