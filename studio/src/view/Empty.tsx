import { Camera, ImagePlus } from "lucide-preact";
import { dialog } from "../app/state.js";
import { Button } from "./controls.js";
import { pickFiles } from "./picking.js";

/** What the stage shows while there is no image. */
export function Empty() {
  return (
    <div class="empty">
      <h2>Drop in your images</h2>
      <p>Brush a few strokes a class and watch a net learn on your own GPU. Nothing is uploaded.</p>
      <div class="row">
        <Button icon={ImagePlus} kind="primary" onClick={pickFiles}>
          Choose images
        </Button>
        <Button
          icon={Camera}
          onClick={() => {
            dialog.value = "camera";
          }}
        >
          Take a photo
        </Button>
      </div>
    </div>
  );
}
