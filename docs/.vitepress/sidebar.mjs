import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const docs = join(import.meta.dirname, "..");
const REFERENCE = ["docs/reference/command-line.md", "docs/pytorch.md", "docs/reference/error-codes.md"];

/** The title of a page of the repository and where it is on the site. */
function page(path) {
  const title = /^# (.*)$/m.exec(readFileSync(join(docs, "..", path), "utf8"))?.[1] ?? path;
  return { text: title, link: `/${path.replace(/\.md$/, "")}` };
}

const pages = (folder) =>
  readdirSync(join(docs, "..", folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => page(`${folder}/${name}`));

export function guideSidebar() {
  const guide = (...names) => names.map((name) => page(`docs/guide/${name}.md`));
  return [
    { text: "Begin", items: guide("start", "studio", "own-data", "coming-from", "d2l", "transfer") },
    { text: "Tensors and nets", items: [...guide("tensors", "models", "recipes", "browser"), page("docs/data.md")] },
    { text: "Many machines", items: [page("docs/queue.md")] },
    { text: "The paper", items: guide("paper", "scales", "quality") },
    {
      text: "Look up",
      items: [...guide("errors"), ...REFERENCE.map(page), { text: "API", link: "/docs/reference/api/" }],
    },
    { text: "Speed", items: [...guide("speed"), { text: "Results", collapsed: true, items: pages("bench/results") }] },
    {
      text: "Inside",
      items: [
        page("docs/map.md"),
        page("docs/kernels.md"),
        page("CONTRIBUTING.md"),
        page("bench/README.md"),
        { text: "Decisions", collapsed: true, items: pages("docs/decisions") },
      ],
    },
  ];
}

/** The pages of the kernels beside their overview. */
export function kernelSidebar() {
  const items = pages("docs/reference/kernels").filter(({ link }) => !link.endsWith("/list"));
  const own = [{ ...page("docs/kernels.md"), items }];
  return { "/docs/kernels": own, "/docs/reference/kernels/": own };
}

const LISTED = ["Functions", "Classes", "Variables"];

/** A sidebar for each namespace: what can be called in it, and the namespaces beside it. Types are a link away. */
export function apiSidebars() {
  const modules = JSON.parse(readFileSync(join(docs, "reference/api/typedoc-sidebar.json"), "utf8"));
  const spaces = modules.flatMap(namespaces);
  const overview = modules.map(({ text }) => ({
    text,
    items: spaces.filter(({ of }) => of === text).map(({ name, link }) => ({ text: name, link })),
  }));
  const own = spaces.map(({ name, link, groups }) => [
    link,
    [
      ...groups
        .filter(({ text }) => LISTED.includes(text))
        .map((group) => ({ ...group, collapsed: false, text: `${name}: ${group.text.toLowerCase()}` })),
      ...overview,
    ],
  ]);
  return { ...Object.fromEntries(own), "/docs/reference/api/": overview };
}

function namespaces(module) {
  const walk = ({ text, link, items }, prefix) => {
    const name = prefix === "" ? text : `${prefix}${text}`;
    const inner = items.find((group) => group.text === "Namespaces")?.items ?? [];
    const below = inner.flatMap((space) => walk(space, prefix === "" ? "" : `${name}.`));
    return [{ of: module.text, name, link, groups: items }, ...below];
  };
  return walk(module, "");
}
