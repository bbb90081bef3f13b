import { createDevice } from "@fcn/tensor";
import type { Command } from "commander";
import { exportOnnx, type OnnxSummary, type OnnxValue } from "../../export/index.js";
import { OPSETS } from "../../export/onnx/exportOnnx.js";
import { refuseSameFile } from "../../files/write.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { size, whole } from "../../options/rules.js";
import { readerOf } from "../flags/options.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

interface ExportFlags {
  readonly weights: string;
  readonly onnx: string;
  readonly argmax?: boolean;
  readonly softmax?: boolean;
  readonly size?: readonly [number, number];
  readonly opset?: number;
  readonly json?: boolean;
}

/** What `fcn export --json` prints. */
export interface ExportReport extends OnnxSummary {
  readonly file: string;
  readonly model: string;
}

export function registerExport(program: Command): void {
  program
    .command("export")
    .description("write a net for other runtimes, as an ONNX model that takes images of any size")
    .requiredOption("--weights <file>", "weights file of a training run; it names its net")
    .requiredOption("--onnx <file>", "the ONNX model to write")
    .option("--argmax", "give the class of every pixel in place of the logits")
    .option("--softmax", "give probabilities in place of the logits")
    .option("--size <HxW>", "take single images of this size only", readerOf("--size", size))
    .option(
      "--opset <n>",
      "version of ONNX's operators, 13 unless given",
      readerOf("--opset", whole(OPSETS.first, OPSETS.last)),
    )
    .option("--json", "print JSON")
    .action(run);
}

async function run({ weights, onnx, argmax = false, softmax = false, size, opset, json }: ExportFlags): Promise<void> {
  if (argmax && softmax) throw new UsageError("--argmax and --softmax exclude each other", "leave one of them out");
  await refuseSameFile("export", onnx, [weights]);
  const device = await createDevice();
  try {
    const { model, metadata } = await loadModel(weights, device);
    const fixed = { ...(size && { shape: [1, ...size] as const }), ...(opset === undefined ? {} : { opset }) };
    const summary = await exportOnnx(model, { path: onnx, argmax, softmax, metadata, ...fixed });
    const report: ExportReport = { file: onnx, model: metadata.model, ...summary };
    await printResult(report, describeReport, json);
  } finally {
    device.destroy();
  }
}

function describeReport({ file, model, bytes, opset, input, outputs }: ExportReport): string {
  const ends = [["input", input] as const, ...outputs.map((output) => ["output", output] as const)];
  const lines = ends.map(([end, value]) => `${end.padEnd(7)} ${describeValue(value)}`);
  return `${lines.join("\n")}\nwrote ${file}: ${model}, ${(bytes / 1e6).toFixed(1)} MB, opset ${opset}\n`;
}

const describeValue = ({ name, dtype, shape }: OnnxValue): string => `${name} ${dtype} [${shape.join(", ")}]`;
