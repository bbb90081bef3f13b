/**
 * Gives the samples of the guide their buttons. The Markdown stays plain: a `ts` block can run on the page where the
 * samples of its page import nothing but the packages, and a `text` block says what they print, as the tests compare.
 */
const IMPORTED = /^import\s[^"]*"([^"]+)";/gm;
const PACKAGE = /^@fcn\/(?:core|tensor)(?:\/\w+)?$/;

/** The `ts` blocks among the tokens of a page, if they can run on it. */
function runnable(tokens) {
  const blocks = (language) => tokens.filter(({ type, info }) => type === "fence" && info.trim() === language);
  const samples = blocks("ts");
  const imported = samples.flatMap(({ content }) => [...content.matchAll(IMPORTED)].map(([, name]) => name));
  return blocks("text").length > 0 && imported.every((name) => PACKAGE.test(name)) ? samples : [];
}

export function runnableSamples(markdown) {
  const { fence } = markdown.renderer.rules;
  markdown.renderer.rules.fence = (tokens, at, options, env, self) => {
    const html = fence(tokens, at, options, env, self);
    if (!env.relativePath?.startsWith("docs/guide/")) return html;
    const index = runnable(tokens).indexOf(tokens[at]);
    if (index < 0) return html;
    return `<RunSample :index="${index}" code="${encodeURIComponent(tokens[at].content)}">${html}</RunSample>`;
  };
}
