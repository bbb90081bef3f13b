import { effect, signal } from "@preact/signals";

export type Theme = "light" | "dark";

const KEY = "fcn-studio-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function saved(): Theme | undefined {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}

const chosen = signal<Theme | undefined>(saved());
const systemDark = signal(system.matches);
system.addEventListener("change", ({ matches }) => {
  systemDark.value = matches;
});

/** What is shown: what the person chose, else what the system asks for. */
export function theme(): Theme {
  return chosen.value ?? (systemDark.value ? "dark" : "light");
}

export function toggleTheme(): void {
  chosen.value = theme() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen.value);
  } catch {
    // A browser that keeps nothing shows the choice until the page is left.
  }
}

effect(() => {
  document.documentElement.dataset.theme = theme();
});
