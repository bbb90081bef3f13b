import { createDevice } from "@fcn/tensor";
import type { Command } from "commander";
import { exportOnnx, type OnnxSummary, type OnnxValue } from "../../export/index.js";
import { OPSETS } from "../../export/onnx/exportOnnx.js";
import { refuseSameFile } from "../../files/write.js";
import { ADAPTER } from "../../measure/tunedDevice.js";
import { loadModel } from "../../models/file/weightsFile.js";
import { size, whole } from "../../options/rules.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { refuseBoth } from "../flags/checks.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { printResult } from "../output/output.js";

/** What `fcn export --json` prints. */
export interface ExportReport extends OnnxSummary {
  readonly file: string;
  readonly model: string;
}

const OPTIONS = {
  weights: { flag: "--weights <file>", help: "weights file of a training run; it names its net", isRequired: true },
  onnx: { flag: "--onnx <file>", help: "ONNX file to write", isRequired: true },
  argmax: { flag: "--argmax", help: "output the class of each pixel instead of the logits" },
  softmax: { flag: "--softmax", help: "output probabilities instead of the logits" },
  size: {
    flag: "--size <HxW>",
    help: "accept only single images of this size",
    reader: size,
    fallbackText: "any number of any size",
  },
  opset: {
    flag: "--opset <n>",
    help: "version of ONNX's operators",
    rule: whole(OPSETS.first, OPSETS.last),
    fallbackText: `${OPSETS.first}`,
  },
  adapter: ADAPTER,
  ...JSON_OUTPUT,
} as const;

/** Adds the flags and the action of `fcn export`. */
export const setUp = (command: Command): void => void addFlags(command, OPTIONS).action(run);

async function run(given: object): Promise<void> {
  const {
    weights,
    onnx,
    argmax = false,
    softmax = false,
    size,
    opset,
    adapter = "auto",
    json,
  } = givenBy(OPTIONS, given);
  refuseBoth({ "--argmax": argmax, "--softmax": softmax });
  await refuseSameFile("export", onnx, [weights]);
  const device = await createDevice({ adapter });
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
