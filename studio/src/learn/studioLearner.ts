import { encodeOnnx } from "@fcn/core";
import { type Device, hasCode } from "@fcn/tensor";
import type { PaintedImage, Session, Settings } from "../session/types.js";
import type { KeptNet, Store } from "../store/store.js";
import { type Canvases, Comparison } from "./comparison.js";
import { fullLabels } from "./fullLabels.js";
import { Gpu } from "./gpu.js";
import type { DeviceReport, FileNet, FullLabels, LearnEvent, Learner, MaskOptions, View } from "./learner.js";
import { Lessons } from "./lessons.js";
import { encodeWeights, firstNet, type NetPlace, openFile, type StartNet } from "./netFiles.js";
import { forClasses } from "./nets.js";
import { emptied, noNet, noteOf } from "./notes.js";
import { Screen } from "./screen.js";
import { Turns } from "./turns.js";
import { Tutor } from "./tutor.js";
import { WorkImages } from "./workImages.js";

const LEARNING_RATES = { "fcn8s-small": 1e-3, "fcn8s-mobilenetv2": 1e-3, own: 3e-4 } as const;
/** Height and width of the patches that nets learn from, on a GPU and on a processor that stands in for one. */
const PATCH_SIDES = { gpu: 256, software: 64 } as const;
const BATCH = 4;
/** Fewer classes leave nothing to tell apart. */
const LEAST_CLASSES = 2;

const isSame = (a: Settings, b: Settings): boolean =>
  a.net === b.net && a.workSide === b.workSide && a.augment === b.augment;

/** What the worker does for the page. Changes are made one after the other, in the order of asking. */
export class StudioLearner implements Learner {
  readonly #turns = new Turns();
  readonly #screen = new Screen();
  #changes: Promise<unknown> = Promise.resolve();
  #tell: (event: LearnEvent) => void = () => {};
  #base = "";
  #session: Session | undefined;
  #settings: Settings | undefined;
  #images: WorkImages | undefined;
  #lessons: Lessons | undefined;
  readonly #gpu = new Gpu();
  #tutor: Tutor | undefined;
  #canvases: Canvases | undefined;
  #comparison: Comparison | undefined;
  /** The net as it was saved last. */
  #kept: KeptNet | undefined;
  /** The file that the net comes from. */
  #file: Blob | undefined;
  #isOn = false;
  #wasTold = "";
  #batch = BATCH;
  #isLooking = false;

  constructor(private readonly store: Store) {}

  open(
    { train, base = "" }: { readonly train: boolean; readonly base?: string },
    tell: (event: LearnEvent) => void,
  ): Promise<DeviceReport> {
    [this.#tell, this.#base, this.#isOn] = [tell, base, train];
    return this.#change(async () => {
      const report = await this.#openDevice();
      await this.#settle();
      return report;
    });
  }

  setSession(session: Session): Promise<void> {
    return this.#change(() => {
      this.#session = session;
      return this.#settle();
    });
  }

  setSettings(settings: Settings): Promise<void> {
    return this.#change(async () => {
      const before = this.#settings;
      if (before && isSame(before, settings)) return;
      this.#settings = settings;
      if (before?.workSide !== settings.workSide) {
        this.#images = new WorkImages(this.store, settings.workSide);
        this.#lessons = new Lessons(this.#images);
      }
      if (before && before.net !== settings.net && settings.net !== "own") await this.#forget();
      else if (before && this.#tutor) await this.#restart(await this.#tutor.keep());
      else await this.#settle();
    });
  }

  train(on: boolean): Promise<void> {
    this.#isOn = on;
    return this.#change(async () => {
      this.#follow();
      if (!on) await this.#tutor?.save();
    });
  }

  show(imageId: string | null, view: View): Promise<void> {
    Object.assign(this.#screen, { imageId, view });
    if (this.#comparison) this.#comparison.imageId = imageId;
    this.#look();
    return Promise.resolve();
  }

  setCanvas(canvas: OffscreenCanvas): Promise<void> {
    this.#screen.canvas = canvas;
    this.#look();
    return Promise.resolve();
  }

  compare(canvases: Canvases | null): Promise<void> {
    return this.#change(async () => {
      this.#canvases = canvases ?? undefined;
      await this.#endComparison();
      const tutor = this.#tutor;
      if (canvases && tutor) await this.#turns.run(async () => this.#compareOn(canvases, tutor));
      await this.#settle();
    });
  }

  reset(): Promise<void> {
    return this.#change(() => this.#forget());
  }

  loadWeights(file: Blob): Promise<FileNet> {
    return this.#change(async () => {
      const { session, device } = this.#ready();
      const { says, ...start } = await this.#turns.run(() => openFile(file, session.classes, device));
      const old = this.#tutor?.net.model;
      await this.#end();
      old?.dispose();
      this.#file = file;
      await this.#beginWith(async () => start, device);
      await this.#settle();
      await this.save();
      return says;
    });
  }

  async save(): Promise<void> {
    await this.#ready().tutor.save();
  }

  async weights(): Promise<Blob> {
    return this.#ready().tutor.use(encodeWeights);
  }

  async onnx(): Promise<Blob> {
    const bytes = await this.#ready().tutor.use(({ model }) => encodeOnnx(model));
    return new Blob([bytes as Uint8Array<ArrayBuffer>]);
  }

  async labels(imageId: string, options: MaskOptions): Promise<FullLabels> {
    const { session, tutor, images } = this.#ready();
    const painted = session.images.find(({ id }) => id === imageId) as PaintedImage;
    const image = await images.get(imageId);
    return tutor.use((net) => fullLabels(net, image, painted, session, options));
  }

  /** Runs changes one after the other. */
  #change<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const done = this.#changes.then(work);
    this.#changes = done.catch(() => undefined);
    return done;
  }

  /** What everything needs that the person asks for. */
  #ready() {
    const [device, session, images, tutor] = [this.#gpu.device, this.#session, this.#images, this.#tutor];
    if (device && session && images && tutor) return { device, session, images, tutor };
    throw noNet();
  }

  async #openDevice(): Promise<DeviceReport> {
    const report = await this.#gpu.open(() => {
      this.#change(() => this.#recover()).catch((error) => this.#fail(error));
    });
    this.#tell({ kind: "device", report });
    return report;
  }

  /** Brings net, lessons and screen in line with what the person has. */
  async #settle(): Promise<void> {
    const [device, session, settings, lessons] = [this.#gpu.device, this.#session, this.#settings, this.#lessons];
    if (!device || !session || !settings || !lessons || session.classes.length === 0) return;
    for (const { name } of await lessons.update(session)) this.#tell({ kind: "note", note: emptied(name) });
    const place = { device, settings, classes: session.classes, base: this.#base };
    if (!this.#tutor) await this.#beginWith(() => this.#firstNet(place), device);
    else if (!this.#tutor.fits(session.classes)) await this.#changeClasses(this.#tutor, device, session);
    this.#tutor?.follow(session.classes);
    if (this.#comparison) this.#comparison.lessons = lessons.lessons;
    this.#follow();
    this.#look();
  }

  async #firstNet(where: NetPlace): Promise<StartNet> {
    const kept = this.#kept ?? (await this.store.net());
    return firstNet(kept, where, (error) => this.#tell({ kind: "note", note: noteOf(error) }));
  }

  /** A net from a file starts from the file as long as it has learned nothing here, since classes go by their names. */
  async #changeClasses({ net, hasLearned }: Tutor, device: Device, { classes }: Session): Promise<void> {
    await this.#end();
    const file = hasLearned ? undefined : this.#file;
    const adapted = async () => ({ net: await forClasses(net, net.classIds, classes, device), from: undefined });
    await this.#beginWith(() => (file ? openFile(file, classes, device) : adapted()), device);
  }

  /** Makes a net and begins with it in a turn of its own: a scope that is open would own, and free, what is made. */
  #beginWith(make: () => Promise<StartNet>, device: Device): Promise<void> {
    return this.#turns.run(async () => this.#begin(await make(), device));
  }

  #begin(start: StartNet, device: Device): void {
    const [settings, images, lessons] = [this.#settings!, this.#images!, this.#lessons!];
    const most = device.info.software ? PATCH_SIDES.software : PATCH_SIDES.gpu;
    const tutor = new Tutor(start, {
      device,
      store: this.store,
      turns: this.#turns,
      images,
      lessons,
      screen: this.#screen,
      patches: { side: Math.min(most, settings.workSide), count: this.#batch, augment: settings.augment },
      learningRate: LEARNING_RATES[settings.net],
      tell: (event) => {
        if (event.kind === "progress") this.#gpu.works();
        this.#tell(event);
      },
    });
    tutor.onKept = (kept) => {
      this.#kept = kept;
    };
    this.#tutor = tutor;
    tutor.trainee.run().catch((error) => this.#stumble(tutor, error));
    if (this.#canvases) this.#compareOn(this.#canvases, tutor);
  }

  /** Ends training, the comparison too. */
  async #end(): Promise<void> {
    await this.#endComparison();
    await this.#tutor?.trainee.stop();
    this.#tutor = undefined;
  }

  async #endComparison(): Promise<void> {
    await this.#comparison?.end();
    this.#comparison = undefined;
  }

  /** Begins again from a net as it was kept. */
  async #restart(kept: KeptNet | undefined): Promise<void> {
    const old = this.#tutor?.net.model;
    await this.#end();
    old?.dispose();
    this.#kept = kept;
    await this.#settle();
  }

  /** Lets go of the net. */
  async #forget(): Promise<void> {
    await this.store.removeNet();
    this.#file = undefined;
    await this.#restart(undefined);
  }

  #compareOn(canvases: Canvases, tutor: Tutor): void {
    const comparison = new Comparison(tutor, canvases, this.#tell);
    comparison.imageId = this.#screen.imageId;
    this.#comparison = comparison;
    comparison.run().catch((error) => {
      if (this.#comparison === comparison && !hasCode(error, "device-lost")) this.#fail(error);
    });
  }

  /** Starts or halts the nets as the person wants and the strokes allow, and tells the page if that changes. */
  #follow(): void {
    const classes = this.#lessons?.labels.size ?? 0;
    const isOn = this.#isOn && classes >= LEAST_CLASSES && this.#tutor !== undefined;
    if (this.#tutor) this.#tutor.trainee.isOn = isOn && !this.#comparison;
    if (this.#comparison) this.#comparison.isOn = isOn;
    const why = !this.#isOn ? "paused" : this.#tutor === undefined ? "loading" : "no-strokes";
    const text = isOn ? "on" : why;
    if (text !== this.#wasTold) this.#tell({ kind: "training", on: isOn, ...(isOn ? {} : { why }) });
    this.#wasTold = text;
  }

  /** Shows what the net says as soon as there is a turn, and once for all that ask before. */
  #look(): void {
    if (this.#isLooking || !this.#tutor) return;
    this.#isLooking = true;
    const begin = (): void => {
      this.#isLooking = false;
    };
    this.#tutor.draw(begin).catch((error) => {
      begin();
      if (!hasCode(error, "device-lost")) this.#tell({ kind: "note", note: noteOf(error) });
    });
  }

  /** What ends a training by itself: a full memory is met by smaller batches, the rest is told. */
  #stumble(tutor: Tutor, error: unknown): void {
    if (this.#tutor !== tutor || hasCode(error, "device-lost")) return;
    const isFull = hasCode(error, "out-of-memory") && this.#batch > 1;
    if (isFull) this.#batch = Math.floor(this.#batch / 2);
    else this.#isOn = false;
    const note = noteOf(error);
    const message = `The memory of the GPU is full; batches hold ${this.#batch} patches from here on.`;
    this.#tell(isFull ? { kind: "note", note: { code: note.code, message } } : { kind: "failed", note });
    this.#change(() => this.#restart(this.#kept)).catch((again) => this.#fail(again));
  }

  /** Goes on with the net as it was saved last, on a new device. */
  async #recover(): Promise<void> {
    await this.#end();
    this.#gpu.countLoss();
    await this.#openDevice();
    await this.#settle();
    this.#tell({ kind: "recovered", step: this.#tutor?.trainee.step ?? 0 });
  }

  #fail(error: unknown): void {
    this.#isOn = false;
    this.#tell({ kind: "failed", note: noteOf(error) });
  }
}
