import { javascript } from "@codemirror/lang-javascript";
import { oneDark } from "@codemirror/theme-one-dark";
import { basicSetup, EditorView } from "codemirror";

/** An editor of TypeScript in `parent`, which says what is written in it. */
export function openEditor(parent: Element, text: string, onChange: (text: string) => void): { close(): void } {
  const listener = EditorView.updateListener.of((update) => {
    if (update.docChanged) onChange(update.state.doc.toString());
  });
  const label = EditorView.contentAttributes.of({ "aria-label": "TypeScript of the sample" });
  const theme = document.documentElement.classList.contains("dark") ? [oneDark] : [];
  const extensions = [basicSetup, javascript({ typescript: true }), listener, label, ...theme];
  const view = new EditorView({ parent, doc: text, extensions });
  view.focus();
  return { close: () => view.destroy() };
}
