import { SHORTCUTS, STAGE_KEYS } from "../app/keyboard.js";
import { dialog } from "../app/state.js";
import { Dialog } from "./controls.js";

/** How it works, and every key. */
export function Help() {
  const subjects = Object.entries(SHORTCUTS).map(
    ([subject, shortcuts]) => [subject, shortcuts.filter(({ keys }) => keys.length > 0)] as const,
  );
  return (
    <Dialog
      title="How it works, and the keys"
      wide
      onClose={() => {
        dialog.value = null;
      }}
    >
      <ol class="how">
        <li>Bring images: drop them anywhere, paste, choose files, or take a photo.</li>
        <li>Choose a class and brush a few strokes where it is; then the next class. The rest may stay unpainted.</li>
        <li>Watch the net learn while you paint, and correct it where it is wrong.</li>
        <li>Take away masks, a labelled data set, and the net. Images, strokes and net stay on this machine.</li>
      </ol>
      <div class="shortcuts">
        {[...subjects, ["Image", STAGE_KEYS] as const].map(([subject, shortcuts]) => (
          <section key={subject}>
            <h3>{subject}</h3>
            <dl>
              {shortcuts.map(({ keys, does }) => (
                <div key={does}>
                  <dt>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
