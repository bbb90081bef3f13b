import type { Command } from "commander";
import { info, type ModelInfo } from "../../catalogue/info.js";
import { describe, list, type NodeSummary } from "../../models/index.js";
import { chooseFrom } from "../../options/closest.js";
import { size, whole } from "../../options/rules.js";
import { formatTable } from "../../report/table.js";
import { addFlags, givenBy } from "../flags/addFlags.js";
import { offerOperands } from "../flags/choices.js";
import { JSON_OUTPUT } from "../flags/common.js";
import { UsageError } from "../output/errors.js";
import { printResult } from "../output/output.js";

const OPTIONS = {
  size: {
    flag: "--size <HxW>",
    help: "height and width of the image that layers and multiply-adds are of",
    reader: size,
    fallback: [224, 224],
    fallbackText: "224x224",
  },
  classes: { flag: "--classes <n>", help: "number of classes of the net", rule: whole(1), fallback: 21 },
  ...JSON_OUTPUT,
} as const;

/** Adds the operand, the flags and the action of `fcn models`. */
export function setUp(command: Command): void {
  offerOperands(command, list());
  addFlags(command, OPTIONS).argument("[name]", "the net to describe; without one, all are listed").action(run);
}

/** What `fcn models NAME --json` prints. */
interface Described extends ModelInfo {
  readonly layers: readonly NodeSummary[];
}

async function run(name: string | undefined, given: object): Promise<void> {
  const flags = givenBy(OPTIONS, given);
  const [height, width] = flags.size;
  const options = { height, width, numClasses: flags.classes };
  if (name === undefined) {
    const all = list().map((each) => info(each, options));
    return printResult(all, tableOf, flags.json);
  }
  if (!list().includes(name)) {
    throw new UsageError(`there is no model called ${JSON.stringify(name)}`, chooseFrom(name, list(), "fcn models"));
  }
  const described: Described = { ...info(name, options), layers: describe(name, options) };
  await printResult(described, describeModel, flags.json);
}

const millions = (count: number): string => (count / 1e6).toFixed(2);

function tableOf(models: readonly ModelInfo[]): string {
  const table = formatTable({
    header: ["model", "parameters, millions", "stride", "weights of the net", "of its backbone"],
    rows: models.map(({ name, parameters, outputStride, weights, backboneWeights }) => [
      name,
      millions(parameters),
      `${outputStride}`,
      `${weights.length || "-"}`,
      `${backboneWeights.length || "-"}`,
    ]),
  });
  return `${table}\n\nfcn models NAME names the weights and shows the layers.\n`;
}

function describeModel(model: Described): string {
  const [height, width] = model.size;
  const field = Number.isFinite(model.receptiveField) ? `${model.receptiveField} pixels` : "the whole image";
  const facts: readonly (readonly [string, string])[] = [
    ["model", model.name],
    ["is", model.summary],
    ["parameters", `${millions(model.parameters)} million, with ${model.numClasses} classes`],
    [
      "multiply-adds",
      `${(model.multiplyAdds / 1e9).toFixed(2)} thousand million at ${height}x${width} (height x width)`,
    ],
    ["stride", `${model.outputStride} at the finest scores, ${model.coarsestStride} at the coarsest features`],
    ["sees", field],
    ["channels", `${model.inChannels}`],
    ["heads", model.heads.join(", ")],
    ["names", model.keys === "own" ? "its own" : `those of ${model.keys}`],
    ["weights", model.weights.join(", ") || "none are published"],
    ["backbone", model.backboneWeights.join(", ") || "no weights are published"],
  ];
  const layers = formatTable({
    header: ["layer", "kind", "channels", "height", "width", "sees"],
    rows: model.layers.map(({ name, kind, shape, receptiveField }) => [
      name,
      kind,
      ...shape.map(String),
      Number.isFinite(receptiveField) ? `${receptiveField}` : "all",
    ]),
  });
  return `${facts.map(([name, text]) => `${name.padEnd(14)} ${text}`).join("\n")}\n\n${layers}\n`;
}
