import { Brush, Download, Images, Sparkles } from "lucide-preact";
import { useEffect, useRef } from "preact/hooks";
import { elsewhere, useHere } from "../app/start.js";
import { dialog, isExample, netState, type Panel, panel } from "../app/state.js";
import { Camera } from "./Camera.js";
import { Compare } from "./Compare.js";
import { Button } from "./controls.js";
import { Drop } from "./Drop.js";
import { Help } from "./Help.js";
import { Learn } from "./Learn.js";
import { Notes } from "./Notes.js";
import { Paint } from "./Paint.js";
import { pickFiles } from "./picking.js";
import { Question } from "./Question.js";
import { Strip } from "./Strip.js";
import { Stage } from "./stage/Stage.js";
import { TakeAway } from "./TakeAway.js";
import { TopBar } from "./TopBar.js";

const PANELS = [
  { value: "paint", label: "Paint", icon: Brush },
  { value: "images", label: "Images", icon: Images },
  { value: "learn", label: "Learn", icon: Sparkles },
  { value: "take", label: "Take away", icon: Download },
] as const;

/** The whole page. */
export function App() {
  const open = panel.value;
  return (
    <>
      <div class="app" data-panel={open} inert={elsewhere.value}>
        <TopBar />
        <Stage />
        {isExample.value && <Example />}
        <Paint />
        <Strip />
        <aside class="side" aria-label="Net and results">
          <Learn />
          <TakeAway />
        </aside>
        <Tabs />
        <Notes />
        <Drop />
        {dialog.value === "help" && <Help />}
        {dialog.value === "camera" && <Camera />}
        {dialog.value === "compare" && netState.value.kind === "ready" && <Compare />}
        <Question />
      </div>
      {elsewhere.value && <Elsewhere />}
    </>
  );
}

/** Chooses the panel: all four on a narrow window, the last two on a wide one. */
function Tabs() {
  const isOpen = (value: Panel): boolean => panel.value === value;
  return (
    <nav class="tabs" aria-label="Panels">
      {PANELS.map(({ value, label, icon: Icon }) => (
        <button
          key={value}
          type="button"
          data-panel={value}
          aria-current={isOpen(value) ? "true" : undefined}
          onClick={() => {
            panel.value = value;
          }}
        >
          <Icon size={18} aria-hidden="true" />
          {label}
        </button>
      ))}
    </nav>
  );
}

function Example() {
  return (
    <section class="example" aria-label="Example">
      <p>An example: the net learns from these strokes.</p>
      <Button kind="primary" onClick={pickFiles}>
        Start with your own images
      </Button>
    </section>
  );
}

function Elsewhere() {
  const cover = useRef<HTMLDivElement>(null);
  useEffect(() => cover.current?.focus(), []);
  return (
    <div class="cover" role="alertdialog" aria-labelledby="elsewhere" tabIndex={-1} ref={cover}>
      <div class="inside">
        <h2 id="elsewhere">The studio is open in another tab</h2>
        <p>One tab at a time can change what is kept. Nothing is lost: the other tab has it all.</p>
        <Button kind="primary" onClick={useHere}>
          Use it here
        </Button>
      </div>
    </div>
  );
}
