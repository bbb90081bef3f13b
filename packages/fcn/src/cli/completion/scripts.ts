import type { Offer, OptionOffer } from "./tree.js";

/** The script with which a shell completes the command line that these offers describe, by shell. */
export const SCRIPTS: Readonly<Record<"bash" | "zsh" | "fish", (offers: readonly Offer[]) => string>> = {
  bash: (offers) => `# Completes fcn in bash: source <(fcn completion bash)
_fcn() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at=fcn i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${alternatives(commandPaths(offers))}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at \${COMP_WORDS[COMP_CWORD - 1]}" in
${valueCases(offers, (words) => `COMPREPLY=($(compgen -W "${words}" -- "$cur")); return`, "COMPREPLY=(); return")}
  esac
  case "$at" in
${wordCases(offers, (words) => `COMPREPLY=($(compgen -W "${words}" -- "$cur"))`)}
  esac
}
complete -o default -F _fcn fcn
`,
  zsh: (offers) => `#compdef fcn
# Completes fcn in zsh: source <(fcn completion zsh), after compinit
_fcn() {
  local at=fcn i
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${alternatives(commandPaths(offers))}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at \${words[CURRENT - 1]}" in
${valueCases(offers, (words) => `compadd -- ${words}; return`, "_files; return")}
  esac
  case "$at" in
${wordCases(offers, (words) => `compadd -- ${words} && return`)}
  esac
  _files
}
compdef _fcn fcn
`,
  fish: (offers) => `# Completes fcn in fish: fcn completion fish | source
function __fcn_at
  set -l at fcn
  for word in (commandline -opc)[2..-1]
    if contains -- "$at $word" ${commandPaths(offers).map(quoted).join(" ")}
      set at "$at $word"
    end
  end
  test "$at" = "$argv"
end
${offers.flatMap(fishLines).join("\n")}
`,
};

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
const alternatives = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join("|");
/** The paths of commands below the first. */
const commandPaths = (offers: readonly Offer[]): string[] => offers.slice(1).map(({ path }) => path);

/** Cases by the option before the word: its values, or files. */
function valueCases(offers: readonly Offer[], choose: (words: string) => string, files: string): string {
  const cases = offers.flatMap(({ path, options }) => {
    const withValue = options.filter(({ takesValue }) => takesValue);
    const free = withValue.filter(({ values }) => values.length === 0).map(({ flag }) => `${path} ${flag}`);
    const chosen = withValue.filter(({ values }) => values.length > 0);
    return [
      ...chosen.map(({ flag, values }) => `    "${path} ${flag}") ${choose(values.join(" "))} ;;`),
      ...(free.length > 0 ? [`    ${alternatives(free)}) ${files} ;;`] : []),
    ];
  });
  return cases.join("\n");
}

/** Cases by the command: the words that may follow it. */
const wordCases = (offers: readonly Offer[], choose: (words: string) => string): string =>
  offers.map((offer) => `    "${offer.path}") ${choose(wordsAfter(offer).join(" "))} ;;`).join("\n");

const wordsAfter = ({ commands, operands, options }: Offer): string[] => [
  ...commands.map(({ name }) => name),
  ...operands,
  ...options.map(({ flag }) => flag),
];

function fishLines({ path, commands, operands, options }: Offer): string[] {
  const line = (rest: string): string => `complete -c fcn -n ${quoted(`__fcn_at ${path}`)} ${rest}`;
  const optionLine = ({ flag, help, takesValue, values }: OptionOffer): string => {
    const value = values.length > 0 ? ` -x -a ${quoted(values.join(" "))}` : takesValue ? " -r" : "";
    return line(`-l ${flag.replace(/^--/, "")}${value} -d ${quoted(help)}`);
  };
  return [
    ...commands.map(({ name, help }) => line(`-f -a ${name} -d ${quoted(help)}`)),
    ...(operands.length > 0 ? [line(`-f -a ${quoted(operands.join(" "))}`)] : []),
    ...options.map(optionLine),
  ];
}
