import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { overlay } from "@fcn/core";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { paletteTable, VOID_COLOUR } from "../../../packages/fcn/src/labels/colours.js";
import { paintLabels } from "../../../packages/fcn/src/labels/palette.js";
import { toCsv } from "../../../packages/fcn/src/report/csv.js";
import { barChart } from "../../../packages/fcn/src/report/html/bars.js";
import { lineChart } from "../../../packages/fcn/src/report/html/chart.js";
import { embeddedPng, escapeHtml, htmlPage, htmlTable } from "../../../packages/fcn/src/report/html/page.js";
import { labelCell, overlayCell, photoCell } from "../../../packages/fcn/src/report/images/cells.js";

const ASSETS = new URL("../../../packages/fcn/assets/", import.meta.url);
const REPORT = new URL("../../../packages/fcn/dist/report/images/", import.meta.url);

describe("lineChart", () => {
  const places = (svg: string): number[][][] =>
    [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) =>
      (points as string).split(" ").map((point) => point.split(",").map(Number)),
    );

  it("gives its legend more lines where there are many names, and itself more height", () => {
    const chartOf = (count: number) =>
      lineChart({
        title: "t",
        xLabel: "x",
        series: Array.from({ length: count }, (_, i) => ({
          name: `a long name ${i}`,
          colour: "red",
          points: [
            [0, 0],
            [1, i],
          ],
        })),
      });
    const heightOf = (svg: string) => Number(/viewBox="0 0 560 (\d+)"/.exec(svg)?.[1]);
    const [one, many] = [chartOf(1), chartOf(10)];
    expect(heightOf(many)).toBe(heightOf(one) + 32);
    const entries = [...many.matchAll(/<text x="(\d+)" y="(\d+)">a long name (\d+)/g)].map((match) =>
      match.slice(1).map(Number),
    );
    expect(entries.map(([, , name]) => name)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const [x = 0, y = 0] of entries) {
      expect(x + 7 * 13).toBeLessThan(560);
      expect([40, 56, 72]).toContain(y);
    }
  });

  it("places points to scale inside the axes", () => {
    const series = [
      {
        name: "a",
        colour: "red",
        points: [
          [0, 0],
          [5, 1],
          [10, 2],
        ] as [number, number][],
      },
    ];
    const [line] = places(lineChart({ title: "t", xLabel: "step", series })) as [number[][]];
    const [a, b, c] = line as [[number, number], [number, number], [number, number]];
    expect(b[0] - a[0]).toBeCloseTo(c[0] - b[0], 0);
    expect(a[1] - b[1]).toBeCloseTo(b[1] - c[1], 0);
    expect(a[0]).toBeLessThan(c[0]);
    expect(a[1]).toBeGreaterThan(c[1]);
    for (const [x, y] of line as [number, number][]) {
      expect(x).toBeGreaterThanOrEqual(48);
      expect(x).toBeLessThanOrEqual(546);
      expect(y).toBeGreaterThanOrEqual(58);
      expect(y).toBeLessThanOrEqual(240);
    }
  });

  it("has round ticks that enclose the data", () => {
    const series = [
      {
        name: "loss",
        colour: "red",
        points: [
          [3, 0.27],
          [97, 1.13],
        ] as [number, number][],
      },
    ];
    const svg = lineChart({ title: "t", xLabel: "step", series });
    const ticks = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map((match) => Number(match[1]));
    expect(ticks).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1.2]);
  });

  it("survives no data, a constant and values that are not numbers", () => {
    for (const points of [
      [],
      [[1, 2]],
      [
        [0, Number.NaN],
        [1, 1],
      ],
    ] as [number, number][][]) {
      const svg = lineChart({ title: "t", xLabel: "x", series: [{ name: "a", colour: "red", points }] });
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  });

  it("escapes what it is told to write", () => {
    const svg = lineChart({ title: "a<b", xLabel: "x&y", series: [{ name: '"q"', colour: "red", points: [[0, 1]] }] });
    expect(svg).toContain("a&lt;b");
    expect(svg).toContain("x&amp;y");
    expect(svg).not.toContain("a<b");
  });
});

describe("the page", () => {
  it("escapes text in tables and titles", () => {
    expect(escapeHtml(`<a href="x">'&`)).toBe("&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
    const page = htmlPage("<t>", htmlTable(["net"], [["<script>", "1"]]));
    expect(page).toContain("<title>&lt;t&gt;</title>");
    expect(page).not.toContain("<script");
  });

  it("carries images inside", () => {
    expect(embeddedPng(Uint8Array.of(1, 2, 3), "a")).toBe('<img alt="a" src="data:image/png;base64,AQID">');
  });
});

describe("toCsv", () => {
  it("quotes what needs it", () => {
    expect(
      toCsv(
        ["a", "b"],
        [
          [1, 'x,"y"'],
          ["", "z\n"],
        ],
      ),
    ).toBe('a,b\n1,"x,""y"""\n,"z\n"\n');
  });
});

describe("paintLabels", () => {
  it("takes the class colours, and the void colour for 255", () => {
    expect([
      ...paintLabels(
        [1, 255, 0],
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ),
    ]).toEqual([4, 5, 6, ...VOID_COLOUR, 1, 2, 3]);
  });
});

/** Runs a script against the built package on a machine without fonts, and returns what it prints. */
function runWithoutFonts(script: string): string {
  const env = { ...process.env, FONTCONFIG_FILE: fileURLToPath(new URL("fonts.conf", ASSETS)) };
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8", env });
  expect([child.status, child.stderr]).toEqual([0, ""]);
  return child.stdout;
}

interface Drawn {
  readonly width: number;
  /** How many pixels are dark, the first row that has one, and the last column. */
  readonly ink: number;
  readonly top: number;
  readonly right: number;
}

/** Texts of 40 pixels, at the left edge. */
function drawWithoutFonts<T extends readonly string[]>(...texts: T): { [K in keyof T]: Drawn } {
  return JSON.parse(
    runWithoutFonts(`
      const { typeset } = await import(${JSON.stringify(new URL("lettering.js", REPORT))});
      const { default: sharp } = await import(${JSON.stringify(import.meta.resolve("sharp"))});
      const draw = async (text) => {
        const lettering = await typeset(text, { size: 40, colour: "#000" });
        const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="60">' + lettering.at(0, 45) + "</svg>";
        const image = sharp(Buffer.from(svg)).extractChannel("alpha").raw();
        const dark = [...(await image.toBuffer()).entries()].filter(([, value]) => value > 127).map(([i]) => i);
        const [top, right] = [Math.floor(dark[0] / 400), Math.max(...dark.map((i) => i % 400))];
        return { width: lettering.width, ink: dark.length, top, right };
      };
      console.log(JSON.stringify(await Promise.all(${JSON.stringify(texts)}.map(draw))));
    `),
  );
}

/** The characters that the font of the package has forms for, from its table of segments (`cmap`, format 4). */
function lettersOfFont(): number[] {
  const bytes = readFileSync(new URL("OpenSans-Regular.ttf", ASSETS));
  const cmap = bytes.readUInt32BE(bytes.indexOf("cmap") + 8);
  const offsets = Array.from({ length: bytes.readUInt16BE(cmap + 2) }, (_, i) => bytes.readUInt32BE(cmap + 8 + 8 * i));
  const table = cmap + (offsets.find((offset) => bytes.readUInt16BE(cmap + offset) === 4) as number);
  const length = bytes.readUInt16BE(table + 6);
  return Array.from({ length: length / 2 - 1 }, (_, i) => {
    const last = bytes.readUInt16BE(table + 14 + 2 * i);
    const first = bytes.readUInt16BE(table + 16 + length + 2 * i);
    return Array.from({ length: last - first + 1 }, (_, k) => first + k);
  }).flat();
}

describe("panels", () => {
  it("draw each cell, the titles and the legend into one PNG, without any font of the system", async () => {
    const png = runWithoutFonts(`
      const { renderPanels } = await import(${JSON.stringify(new URL("panels.js", REPORT))});
      const red = Uint8Array.from({ length: 4 * 4 * 3 }, (_, i) => (i % 3 === 0 ? 255 : 0));
      const cell = { rgb: red, width: 4, height: 4, smooth: false };
      const png = await renderPanels({
        title: "Title",
        columns: [{ title: "A" }, { title: "B", subtitle: "sub" }],
        rows: [{ title: "row", cells: [cell, cell] }],
        legend: [{ name: "green", colour: [0, 200, 0] }],
      });
      process.stdout.write(Buffer.from(png).toString("base64"));
    `);
    const { data, info } = await sharp(Buffer.from(png, "base64"))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const count = (wanted: (r: number, g: number, b: number) => boolean): number => {
      let n = 0;
      for (let i = 0; i < data.length; i += 3) if (wanted(data[i]!, data[i + 1]!, data[i + 2]!)) n++;
      return n;
    };
    expect([info.width, info.height]).toEqual([2 * 24 + 2 * 232 + 10, 104 + 232 + 26 + 10 + 50]);
    expect(count((r, g, b) => r === 255 && g === 0 && b === 0)).toBe(2 * 232 * 232);
    expect(count((r, g, b) => r === 0 && g === 200 && b === 0)).toBeGreaterThan(200);
    expect(count((r, g, b) => r < 90 && g < 90 && b < 100)).toBeGreaterThan(300);
  });

  it("write ASCII, Latin letters with their marks, Greek and Cyrillic, and a box for what has no form", () => {
    const font = lettersOfFont();
    const ascii = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
    const latin =
      "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿĀĂĄĆČĎĐĒĘĚĞĢĪİŁŃŇŐŒŘŚŞŠŢŤŪŮŰŹŻŽłşşőű–—“”‘’…";
    for (const letter of `${ascii}${latin}αωЖя`) expect(font, letter).toContain(letter.codePointAt(0));
    expect(font).not.toContain("日".codePointAt(0));

    const [u, composed, combined, capital, box, W, WW, i] = drawWithoutFonts(
      "u",
      "ü",
      "u\u0308",
      "Ü",
      "日",
      "W",
      "WW",
      "i",
    );
    for (const { ink } of [u, box]) expect(ink).toBeGreaterThan(100);
    expect(composed).toEqual(combined);
    expect(composed.ink).toBeGreaterThan(u.ink);
    expect(composed.width).toBe(u.width);
    // A mark stands above its letter, higher above a tall one.
    expect(composed.top).toBeLessThan(u.top);
    expect(capital.top).toBeLessThan(composed.top);
    expect(WW.right - W.right).toBeGreaterThan(W.right * 0.9);
    expect(W.width).toBeGreaterThan(i.width);
    for (const { width, right } of [u, composed, capital, box, W, WW, i]) expect(right).toBeLessThan(width);
  });

  it("write markup, spaces, endless names and characters that XML cannot hold", () => {
    const [markup, wide, narrow, nothing, blank, control, broken, lone, endless] = drawWithoutFonts(
      ...(["<b>&amp;\"'", "a  b", "a b", "", " ", "\u0001", "a\nb", "\ud800", "x".repeat(9000)] as const),
    );
    expect(markup.right).toBeGreaterThan(100);
    expect(wide.right).toBeGreaterThan(narrow.right);
    expect([nothing.ink, blank.ink]).toEqual([0, 0]);
    for (const { ink } of [control, broken, lone, endless]) expect(ink).toBeGreaterThan(100);
  });
});

describe("bars", () => {
  const start = (chart: string): number => Number(/<rect x="([\d.]+)"/.exec(chart)?.[1]);
  const chartOf = (name: string): string => barChart("IU", [{ name, value: 0.5, colour: "red" }]);

  it("have room for their names, and say in full what is longer", () => {
    const long = "a rather long name of a class";
    expect(start(chartOf(long))).toBeGreaterThan(start(chartOf("sky")));
    expect(chartOf(long)).toContain(`>${long}</text>`);
    const endless = "x".repeat(40) + "y".repeat(40);
    expect(start(chartOf(endless))).toBeLessThan(320);
    expect(chartOf(endless)).toMatch(new RegExp(`>x+…y+<title>${endless}</title></text>`));
    expect(/>(x+…y+)</.exec(chartOf(endless))?.[1]?.length).toBeLessThan(42);
  });
});

describe("cells of samples", () => {
  const colours = [
    [10, 20, 30],
    [200, 100, 0],
  ] as const;

  it("show small images as they are, in colour or grey", () => {
    const data = Uint8Array.from({ length: 2 * 3 * 3 }, (_, i) => 10 * i);
    const image = { data, height: 2, width: 3, channels: 3 };
    const labels = Uint8Array.of(0, 1, 255, 1, 0, 0);
    expect(photoCell(image)).toEqual({ rgb: data, height: 2, width: 3, smooth: true });
    const painted = paintLabels(labels, colours);
    expect(labelCell(labels, image, colours)).toEqual({ rgb: painted, height: 2, width: 3, smooth: false });
    expect(overlayCell(image, labels, colours).rgb).toEqual(overlay(data, labels, { palette: paletteTable(colours) }));
    const depth = { data: Float32Array.of(-4, 3.6, 300), height: 1, width: 3, channels: 1 };
    expect([...photoCell(depth).rgb]).toEqual([0, 0, 0, 4, 4, 4, 255, 255, 255]);
  });

  it("reduce large images by the mean, and label maps by a label of each square", () => {
    // Squares of 4 x 4 pixels; the last column and row of squares are cut off.
    const [height, width, factor] = [1402, 1903, 4];
    const value = (x: number, y: number): number => (Math.floor(x / factor) * 5 + Math.floor(y / factor) * 3) % 250;
    const data = new Uint8Array(height * width * 3);
    const labels = new Uint8Array(height * width);
    for (let i = 0; i < labels.length; i++) {
      const [x, y] = [i % width, Math.floor(i / width)];
      data.fill(value(x, y) + (x % 2), 3 * i, 3 * i + 3);
      labels[i] = value(x, y) % 2;
    }
    const image = { data, height, width, channels: 3 };
    const [photo, truth] = [photoCell(image), labelCell(labels, image, colours)];
    for (const cell of [photo, truth, overlayCell(image, labels, colours)]) {
      expect([cell.height, cell.width]).toEqual([351, 476]);
      expect(cell.rgb).toHaveLength(351 * 476 * 3);
    }
    const places = [0, 1, 475, 476 * 200 + 17, 476 * 350, 476 * 351 - 1];
    for (const i of places) {
      const [x, y] = [(i % 476) * factor, Math.floor(i / 476) * factor];
      const columns = Math.min(factor, width - x);
      const odd = Math.floor(columns / 2) / columns;
      expect(photo.rgb[3 * i + 1]).toBe(Math.round(value(x, y) + odd));
      expect([...truth.rgb.subarray(3 * i, 3 * i + 3)]).toEqual(colours[value(x, y) % 2]);
    }
  });

  it("stay small whatever the size of the image: a grid of 6000x4000 within a small heap", () => {
    const grid = fileURLToPath(new URL("../../../packages/fcn/dist/report/images/labelGrid.js", import.meta.url));
    // What `resourceUsage` returns as the maximum counts the program that started this one.
    const script = `
      import { readFileSync } from "node:fs";
      const peak = () => 1024 * /VmHWM:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1];
      const { renderLabelGrid } = await import(${JSON.stringify(grid)});
      const [height, width] = [4000, 6000];
      const image = { data: new Uint8Array(height * width * 3), height, width, channels: 3 };
      const labels = new Uint8Array(height * width);
      const before = process.memoryUsage.rss();
      const rows = [{ sample: { name: "large", image, labels }, predictions: [labels] }];
      const looks = { classes: ["a"], colours: [[1, 2, 3]] };
      const png = await renderLabelGrid({ title: "", columns: [{ title: "" }], rows, overlay: true, ...looks });
      console.log(png.length > 1000, (peak() - before) / (height * width));
    `;
    const args = ["--max-old-space-size=64", "--input-type=module", "-e", script];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([status, stderr]).toEqual([0, ""]);
    const [drawn, bytesPerPixel] = stdout.trim().split(" ");
    expect(drawn).toBe("true");
    // Less than a single copy of the image.
    expect(Number(bytesPerPixel)).toBeLessThan(6);
  });
});
