/** Kinds of files by their first bytes in ISO 8859-1. A start that begins with another one comes before it. */
const STARTS: readonly (readonly [start: string | RegExp, what: string])[] = [
  [/^\s*(<!doctype html|<html|<head|<body)/i, "a web page (HTML)"],
  [/^\s*<\?xml/i, "an XML file"],
  ["version https://git-lfs", "a Git LFS pointer"],
  ["/annex/objects", "a git-annex pointer"],
  ["\x1f\x8b", "a gzip archive"],
  [/^BZh[1-9]/, "a bzip2 archive"],
  ["\xfd7zXZ\0", "an xz archive"],
  ["7z\xbc\xaf\x27\x1c", "a 7z archive"],
  ["Rar!\x1a\x07", "a RAR archive"],
  ["\x28\xb5\x2f\xfd", "a Zstandard archive"],
  [/^PK\p{Cc}{2}.{26}[^/]{0,200}\/data\.pkl/su, "a PyTorch file (.pth)"],
  [/^PK\p{Cc}{2}.{26}[^\0]{0,200}\.npy/su, "a NumPy archive (.npz)"],
  [/^PK\p{Cc}{2}.{26}(metadata|config)\.json/su, "a Keras file (.keras)"],
  ["PK\x03\x04", "a zip archive"],
  ["\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19", "a PyTorch file (.pth)"],
  [/^.{5}\0{3}\{/s, "a safetensors file"],
  ["\x89HDF", "an HDF5 file"],
  [/^.{4}TFL3/s, "a TensorFlow Lite model (.tflite)"],
  [/^[\b]\p{Cc}{2}.\w[\w. -]*(\p{Cc}|["*:])/su, "an ONNX model (.onnx)"],
  [/^(#[^\n]*\n|\s)*(name|layers?|input)\s*[:{]/, "a Caffe description of a net (.prototxt)"],
  ["\x93NUMPY", "a NumPy array (.npy)"],
  ["MATLAB 5.0 MAT-file", "a MATLAB file (.mat)"],
  ["GGUF", "a GGUF file"],
  ["\x89PNG\r\n\x1a\n", "a PNG image"],
  ["\xff\xd8\xff", "a JPEG image"],
  ["GIF8", "a GIF image"],
  ["II*\0", "a TIFF image"],
  ["MM\0*", "a TIFF image"],
  [/^RIFF.{4}WEBP/s, "a WebP image"],
  [/^BM.{4}\0{4}/s, "a BMP image"],
  [/^.{4}ftyp(hei[cx]|hev[cx]|mif1|msf1)/s, "a HEIC image"],
  [/^.{4}ftypavi[fs]/s, "an AVIF image"],
  ["\0\0\0\x0cjP  ", "a JPEG 2000 image"],
  ["\xff\x4f\xff\x51", "a JPEG 2000 image"],
  ["8BPS", "a Photoshop file"],
  ["\x76\x2f\x31\x01", "an OpenEXR image"],
  ["%PDF-", "a PDF document"],
  [/^P[1-7]\s/, "a PNM image"],
  ...["\x02", "\x03", "\x04", "\x05"].map((version) => [`\x80${version}`, "a Python pickle"] as const),
  [/^\s*[[{]\s*["{[\]}\d-]/, "a JSON file"],
];

/** The fix by kind of file. Kinds that can be converted or renamed have their own. */
const REMEDIES: Readonly<Record<string, string>> = {
  "a web page (HTML)": "download the file itself: this is an error, login or viewer page",
  "a Git LFS pointer": "fetch the file that it stands for: git lfs pull",
  "a git-annex pointer": "fetch the file that it stands for: git annex get",
  "a gzip archive": "unpack it: gunzip, or tar xzf where it is a .tar.gz",
  "a bzip2 archive": "unpack it: bunzip2, or tar xjf where it is a .tar.bz2",
  "an xz archive": "unpack it: unxz, or tar xJf where it is a .tar.xz",
  "a 7z archive": "unpack it: 7z x",
  "a RAR archive": "unpack it: unrar x",
  "a Zstandard archive": "unpack it: unzstd, or tar --zstd -xf where it is a .tar.zst",
  "a zip archive": "unpack it: unzip",
  "an HDF5 file": "write its arrays as .npz, with h5py or Keras and numpy.savez",
  "a Keras file (.keras)": "write its arrays as .npz, with Keras and numpy.savez",
  "an ONNX model (.onnx)":
    "take the weights that it was exported from, or write its initializers as .npz, with onnx and numpy.savez",
  "a TensorFlow Lite model (.tflite)": "take the weights that it was made from",
  "a GGUF file": "take the weights that it was made from",
  "a Caffe description of a net (.prototxt)": "give the .caffemodel file that belongs to it",
};

/** Members of the tar archives that the first versions of PyTorch wrote. */
const TORCH_TAR = /^(sys_info|pickle|tensors|storages)\0/;

/** A guess from the first bytes of a file: its kind in words, and the fix if the weights are inside it or elsewhere. */
export interface Guess {
  readonly what: string;
  readonly fix?: string | undefined;
}

/** The number of first bytes that {@link guessContent} uses. */
export const GUESSED_BYTES = 512;

/** The most likely kind of a file by its first bytes; undefined if they say nothing. */
export function guessContent(bytes: Uint8Array): Guess | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, GUESSED_BYTES)).replace(/^\xef\xbb\xbf/, "");
  const isTar = String.fromCharCode(...bytes.subarray(257, 262)) === "ustar";
  if (isTar && TORCH_TAR.test(start)) {
    const fix = "load it in PyTorch and write it again: torch.save(torch.load(path), other_path)";
    return { what: "a PyTorch file of the first format (tar)", fix };
  }
  if (isTar) return { what: "a tar archive", fix: "unpack it: tar xf" };
  const found = STARTS.find(([begin]) => (typeof begin === "string" ? start.startsWith(begin) : begin.test(start)));
  if (found === undefined) return undefined;
  const [, what] = found;
  return { what, fix: REMEDIES[what] };
}
