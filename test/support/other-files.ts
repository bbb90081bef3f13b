import { gzipSync } from "node:zlib";
import { zip } from "./zip.js";

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const latin = (value: string): Uint8Array => Uint8Array.from(value, (letter) => letter.charCodeAt(0));

function tar(first: string): Uint8Array {
  const bytes = new Uint8Array(1024);
  bytes.set(text(first));
  bytes.set(text("ustar\0"), 257);
  return bytes;
}

/** Files that people give in place of weights: what each is called, its bytes, and what the remedy speaks of. */
export const otherFiles = (): [what: string, bytes: Uint8Array, remedy: RegExp][] => [
  ["a web page (HTML)", text("<!DOCTYPE html>\n<html><title>404</title></html>"), /download the file itself/],
  ["a web page (HTML)", text("\n\n<html><head></head></html>"), /download the file itself/],
  ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n"), /git lfs pull/],
  ["a gzip archive", new Uint8Array(gzipSync(text("weights"))), /gunzip/],
  ["a tar archive", tar("net/weights.bin"), /tar xf/],
  ["a PyTorch file of the first format (tar)", tar("sys_info"), /torch\.load/],
  ["an HDF5 file", latin("\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0"), /numpy\.savez/],
  ["a Keras file (.keras)", zip({ "metadata.json": { data: text("{}") } }), /numpy\.savez/],
  ["an ONNX model (.onnx)", latin("\x08\x08\x12\x07pytorch\x1a\x052.1.0:\x80\x01"), /exported from|numpy\.savez/],
  ["a TensorFlow Lite model (.tflite)", latin("\x1c\0\0\0TFL3\x14\0 \0\x1c\0"), /made from/],
  ["a GGUF file", latin("GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0"), /made from/],
  ["a PNG image", latin("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"), /^give a /],
  ["a JPEG image", latin("\xff\xd8\xff\xe0\0\x10JFIF\0"), /^give a /],
  ["a PDF document", latin("%PDF-1.7\n%\xe2\xe3\n"), /^give a /],
  ["a Caffe description of a net (.prototxt)", text('# FCN\nname: "VGG"\nlayer { name: "a" }\n'), /\.caffemodel/],
];
