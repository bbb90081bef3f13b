/** Where bytes are no text in UTF-8, and the encoding that they most likely are in. */
export interface TextFault {
  /** Of the first byte that is wrong. */
  readonly offset: number;
  /** From 1 on. */
  readonly line: number;
  readonly byte: number;
  /** As `iconv -f` names it. */
  readonly encoding: string;
  /** Whether the text looks like a language in that encoding; else it is an example of what may be. */
  readonly isSure: boolean;
}

/**
 * The text of a file in UTF-8, or in UTF-16 that begins with a byte order mark, without the mark; for other bytes where they stop being that. Letters
 * are never replaced.
 */
export function decodeText(bytes: Uint8Array): string | TextFault {
  try {
    const text = new TextDecoder(markedEncoding(bytes), { fatal: true }).decode(bytes);
    return text.includes("\0") ? faultAt(bytes, bytes.indexOf(0)) : text;
  } catch {
    return faultAt(bytes, firstWrongByte(bytes));
  }
}

/** As it stands in messages. */
export const describeFault = ({ offset, line, byte, encoding, isSure }: TextFault): string =>
  `it is no text in UTF-8: byte ${offset} (0x${byte.toString(16).padStart(2, "0")}, in line ${line}) is wrong${isSure ? `; it reads as ${encoding}` : ""}`;

/** The remedy for text in another encoding; `file` as the shell is to read it. */
export function recodeFix(file: string, { encoding, isSure }: TextFault): string {
  const name = /^[\w./@:+,-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
  const command = `iconv -f ${encoding} -t UTF-8 ${name} > utf8.txt, then put utf8.txt in its place`;
  return isSure ? `save it as UTF-8: ${command}` : `save it as UTF-8; for example, where it is ${encoding}: ${command}`;
}

/** UTF-32 in little-endian order begins as UTF-16 does. */
function markedEncoding(bytes: Uint8Array): string {
  const [a, b, c, d] = bytes;
  if (a === 0xff && b === 0xfe && !(c === 0 && d === 0)) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : "utf-8";
}

function faultAt(bytes: Uint8Array, offset: number): TextFault {
  let line = 1;
  for (let i = 0; i < offset; i++) if (bytes[i] === 0x0a) line++;
  return { offset, line, byte: bytes[offset] ?? 0, ...guessEncoding(bytes) };
}

/** The first byte that no character of UTF-8 can have in its place. */
function firstWrongByte(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; ) {
    const [first, second] = [bytes[i] as number, bytes[i + 1] ?? 0];
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    // Longer forms than needed, halves of UTF-16 and what lies beyond Unicode.
    const isRefused =
      (first === 0xe0 && second < 0xa0) ||
      (first === 0xed && second > 0x9f) ||
      (first === 0xf0 && second < 0x90) ||
      (first === 0xf4 && second > 0x8f);
    if (more < 0 || isRefused) return i;
    for (let k = 1; k <= more; k++) if (((bytes[i + k] ?? 0) & 0xc0) !== 0x80) return i;
    i += more + 1;
  }
  return 0;
}

/** Of each script the characters that most of its texts and class lists hold. */
const FREQUENT = {
  chinese:
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运背景车行人猫狗树草屋房建筑物道路天空汽摩托自行汽车房子前景云河桥鸟花鱼牛羊",
  korean:
    "이다의는에을가하고지로한기사도나자대은인정스시를리일해어서과아전그보들부장있수라원만세상구제주선으조공성관국산소여유장동면계없안경비무화것당신회연요위모내미오생방발민마중업물학교용우실저합차문치거적트할했개분차람배경길건물나무늘하초록강양돼",
} as const;

/** Whether a run of foreign characters is usual in a script. */
const USUAL = {
  chinese: (run: string): number => countIn(run, (letter) => FREQUENT.chinese.includes(letter)),
  korean: (run: string): number => countIn(run, (letter) => FREQUENT.korean.includes(letter)),
  japanese: (run: string): number => countIn(run, (letter) => /[\u3041-\u30fc]/.test(letter)),
  // Two bytes of other encodings give capitals inside words.
  cyrillic: (run: string): number => (/^([А-ЯЁ]?[а-яё]{2,}|[А-ЯЁ]{2,})$/.test(run) ? run.length : 0),
  // Between letters of ASCII two of them seldom meet.
  latin: (run: string): number => (/^[À-ÖØ-öø-ÿ]$/.test(run) ? 1 : 0),
} as const;
type Script = keyof typeof USUAL;

const countIn = (run: string, isUsual: (letter: string) => boolean): number => [...run].filter(isUsual).length;

/** Strict decoders of the platform, by the name that iconv has for the encoding. */
const ENCODINGS: readonly (readonly [iconv: string, label: string, script: Script])[] = [
  ["GBK", "gbk", "chinese"],
  ["SHIFT_JIS", "shift_jis", "japanese"],
  ["EUC-JP", "euc-jp", "japanese"],
  ["EUC-KR", "euc-kr", "korean"],
  ["BIG5", "big5", "chinese"],
  ["WINDOWS-1251", "windows-1251", "cyrillic"],
  ["WINDOWS-1252", "windows-1252", "latin"],
];

/** As much of a file as tells its language. */
const SEEN = 65536;
const SURE = 0.5;

function guessEncoding(bytes: Uint8Array): Pick<TextFault, "encoding" | "isSure"> {
  if (bytes[0] === 0xff && bytes[1] === 0xfe && bytes[2] === 0 && bytes[3] === 0) {
    return { encoding: "UTF-32", isSure: true };
  }
  const zeros = bytes
    .subarray(0, SEEN)
    .reduce((count, byte, i) => count + (byte === 0 ? (i % 2 === 0 ? 1 : -1) : 0), 0);
  if (zeros !== 0) return { encoding: zeros < 0 ? "UTF-16LE" : "UTF-16BE", isSure: Math.abs(zeros) > 1 };
  const start = foreignPart(bytes);
  const scored = ENCODINGS.map(([encoding, label, script]) => ({
    encoding,
    score: plausibility(start, label, script),
  }));
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a));
  const isAlone = scored.every(({ encoding, score }) => encoding === best.encoding || score < best.score);
  return { encoding: best.score > 0 ? best.encoding : "GBK", isSure: isAlone && best.score >= SURE };
}

/** The lines with other bytes than ASCII, up to {@link SEEN} bytes: a long beginning of numbers says nothing. */
function foreignPart(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let begin = 0; begin < bytes.length && out.length < SEEN; ) {
    const found = bytes.indexOf(0x0a, begin);
    const end = found < 0 ? bytes.length : found + 1;
    const line = bytes.subarray(begin, end);
    const first = line.findIndex((byte) => byte > 0x7f);
    // A line may be a whole file of megabytes.
    if (first >= 0) out.push(...line.subarray(Math.max(0, first - 1), first + SEEN / 4));
    begin = end;
  }
  return Uint8Array.from(out);
}

/** Part of the foreign characters that are usual ones of the script; 0 where the bytes cannot be in the encoding. */
function plausibility(bytes: Uint8Array, label: string, script: Script): number {
  let text: string;
  try {
    text = new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return 0;
  }
  const runs = text.match(/[^\0-\x7f]+/gu) ?? [];
  const length = runs.reduce((sum, run) => sum + [...run].length, 0);
  return length === 0 ? 0 : runs.reduce((sum, run) => sum + USUAL[script](run), 0) / length;
}
