import { question } from "../app/state.js";
import { Button, Dialog } from "./controls.js";

/** Asks before something is lost. */
export function Question() {
  const asked = question.value;
  if (asked === null) return null;
  const close = (): void => {
    question.value = null;
  };
  return (
    <Dialog title={asked.title} onClose={close}>
      <p>{asked.text}</p>
      <div class="row">
        <Button onClick={close}>Cancel</Button>
        <Button
          kind="danger"
          onClick={() => {
            close();
            asked.run();
          }}
        >
          {asked.verb}
        </Button>
      </div>
    </Dialog>
  );
}
