import { io, TensorError } from "@fcn/tensor";
import { checkValue, invalidArgument, rules } from "@fcn/tensor/internal";
import { type Deferred, encode, lengthOf, type Message } from "../../encoding/protobuf.js";
import { encodeMetadata, type ModelMetadata } from "../../models/file/weightsFile.js";
import { GraphNet, type NetOutput } from "../../models/graph/net.js";
import { type HeadKind, netGraph, type OnnxValue } from "./netGraph.js";
import { SCHEMA } from "./schema.js";

/** How a net is exported. */
export interface OnnxOptions {
  /** Version of ONNX's operators, 13 to 23. Default 13, which every runtime since 2021 supports. */
  readonly opset?: number;
  /** Output the class of each pixel, int32 [N, H, W], instead of the logits. Default false. */
  readonly argmax?: boolean;
  /** Output class probabilities, float32 [N, C, H, W], instead of the logits. Default false. */
  readonly softmax?: boolean;
  /** [N, H, W] of the images, for runtimes that need fixed sizes. Default: any size. */
  readonly shape?: readonly [number, number, number];
  /** Stored in the file's metadata, each field as JSON, as in a weights file. */
  readonly metadata?: Partial<ModelMetadata>;
}

/** Describes the model that was written. */
export interface OnnxSummary {
  /** Size of the file in bytes. */
  readonly bytes: number;
  readonly opset: number;
  readonly input: OnnxValue;
  readonly outputs: readonly OnnxValue[];
}

const OP = "exportOnnx";
/** The supported versions of ONNX's operators. */
export const OPSETS = { first: 13, last: 23 };
/** Version 7 of the file format belongs to opset 13; nothing newer is used. */
const IR_VERSION = 7;
/** The largest message that Protocol Buffers allow. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * Writes a net's forward pass in evaluation mode as an ONNX model (Node), with float32 weights under the names of the
 * state dict. The input is float32 [N, C, H, W], and each head is an output under its own name. Unlike the net, the
 * file does not refuse images that `models.describe` reports as too small.
 *
 * Only one weight at a time is held on the host. The file appears under its name once it is complete.
 *
 * Throws a TensorError for options out of range, layers that ONNX cannot express, models of 2 GiB or more, and files
 * that cannot be written.
 */
export async function exportOnnx(
  net: GraphNet<NetOutput>,
  { path, ...options }: OnnxOptions & { readonly path: string | URL },
): Promise<OnnxSummary> {
  const { pieces, summary } = encodeModel(net, options);
  await io.writeWhole(OP, path, contents(pieces));
  return summary;
}

/** Returns the bytes of the file that {@link exportOnnx} writes, for environments without a file system. */
export async function encodeOnnx(net: GraphNet<NetOutput>, options: OnnxOptions = {}): Promise<Uint8Array> {
  const { pieces, summary } = encodeModel(net, options);
  const bytes = new Uint8Array(summary.bytes);
  let at = 0;
  for await (const piece of contents(pieces)) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

async function* contents(pieces: readonly (Uint8Array | Deferred)[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece instanceof Uint8Array ? piece : await piece.read();
}

function encodeModel(net: GraphNet<NetOutput>, options: OnnxOptions) {
  if (!(net instanceof GraphNet)) {
    throw invalidArgument(
      `${OP}: the net is not one of models.create or models.GraphNet, so its layers are not known`,
      "build it as a graph with models.GraphBuilder",
    );
  }
  const { opset = OPSETS.first } = options;
  checkValue(OP, "opset", opset, rules.whole(OPSETS.first, OPSETS.last));
  const { graph, input, outputs } = netGraph(net, { head: headKind(options), shape: options.shape });
  const model: Message = {
    irVersion: IR_VERSION,
    producerName: "@fcn/core",
    graph,
    opsetImport: { domain: "", version: opset },
    metadataProps: Object.entries(encodeMetadata(withoutGraph(options.metadata))).map(([key, value]) => ({
      key,
      value,
    })),
  };
  const pieces = encode(SCHEMA, "Model", model);
  const bytes = lengthOf(pieces);
  if (bytes > MAX_BYTES) {
    throw new TensorError({
      code: "unsupported",
      message: `${OP} ${net.graph.name}: the model needs ${bytes} bytes, but one ONNX file holds at most ${MAX_BYTES}`,
      fix: { code: "export a narrower net, or write its state dict with io.writeSafetensors" },
    });
  }
  return { pieces, summary: { bytes, opset, input, outputs } satisfies OnnxSummary };
}

/** The ONNX model itself describes its layers. */
const withoutGraph = ({ graph: _, ...metadata }: Partial<ModelMetadata> = {}): Partial<ModelMetadata> => metadata;

function headKind({ argmax = false, softmax = false }: OnnxOptions): HeadKind {
  if (!argmax || !softmax) return argmax ? "argmax" : softmax ? "softmax" : "logits";
  throw invalidArgument(
    `${OP}: argmax and softmax were both given, but an output is either the classes or their probabilities`,
    "leave one of them out",
  );
}
