export { type ConvertOptions, type ConvertReport, convert, nameMap, type OutputFormat } from "./convert.js";
export { NAME_MAPS, type NameMap } from "./nameMaps.js";
