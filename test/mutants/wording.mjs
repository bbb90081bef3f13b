import { declareValuePlugin, PluginKind } from "@stryker-mutator/api/plugin";

const isWording = (text) => /\S\s/.test(text);

/** Leaves the wording of messages alone: tests recognise errors by their codes. */
const wording = {
  shouldIgnore({ node }) {
    const texts =
      node.type === "StringLiteral"
        ? [node.value]
        : node.type === "TemplateLiteral"
          ? node.quasis.map(({ value }) => value.raw)
          : [];
    return texts.some(isWording) ? "wording for people" : undefined;
  },
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, "wording", wording)];
