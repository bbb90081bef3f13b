/** The most likely encoding of some bytes. */
export interface EncodingGuess {
  /** The name that `iconv -f` takes. */
  readonly encoding: string;
  /** Whether the text looks like a language in that encoding and in no other. */
  readonly isSure: boolean;
  /** If not sure, other encodings in which the bytes are text, the most likely first. */
  readonly others: readonly string[];
}

/** For scripts with many characters: those found in most texts and class lists. */
const FREQUENT = {
  chinese:
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运背景车行人猫狗树草屋房建筑物道路天空汽摩托自行汽车房子前景云河桥鸟花鱼牛羊",
  traditional:
    "貓樹車輛道橋鳥門窗馬魚龍東長開關電話國學時間個們這說對會來過還點現實體麼後發動為與從見經頭無產員業機種義書變氣題條總當應聲報場處幾給風飛讀雲綠紅黃藍顏顆顯類圖圍團園聽買賣豬雞鴨鵝狗天空建築物人行路草地河山水火大小上下左右前景",
  korean:
    "이다의는에을가하고지로한기사도나자대은인정스시를리일해어서과아전그보들부장있수라원만세상구제주선으조공성관국산소여유장동면계없안경비무화것당신회연요위모내미오생방발민마중업물학교용우실저합차문치거적트할했개분차람배경길건물나무늘하초록강양돼",
  japanese:
    "猫犬鳥車道路空木草花建物人動自転電信号標識歩行者川海山橋家屋根窓壁床机椅子背景前白黒赤青緑黄色水土石田畑森林雲雪雨日月火金魚馬牛羊豚鶏手足頭顔目口耳体男女子供店駅線柱板紙本食",
  cyrillic: "оеаинтсрвлкмдпугябзыь",
} as const;

/** Where the standard of a two-byte encoding puts common characters: lead bytes, and the lowest trail byte. */
const LISTED_FIRST = {
  gbk: [0xb0, 0xd7, 0xa1],
  big5: [0xa4, 0xc5, 0x40],
  shift_jis: [0x89, 0x97, 0x40],
} as const;

const commonSets = new Map<string, ReadonlySet<string>>();

function commonIn(label: keyof typeof LISTED_FIRST): ReadonlySet<string> {
  const known = commonSets.get(label);
  if (known !== undefined) return known;
  const [first, last, trail] = LISTED_FIRST[label];
  const bytes: number[] = [];
  for (let lead = first; lead <= last; lead++) for (let low = trail; low < 0xff; low++) bytes.push(lead, low);
  const letters = new Set(new TextDecoder(label).decode(Uint8Array.from(bytes)).replaceAll(/[\0-\x7f\ufffd]/g, ""));
  commonSets.set(label, letters);
  return letters;
}

/** The score of a character that is common but not among the most frequent. */
const COMMON = 0.6;

/** The mean score of the letters in a run: 1 for frequent ones, {@link COMMON} for those in the set. */
function share(run: string, isFrequent: (letter: string) => boolean, common?: ReadonlySet<string>): number {
  const letters = [...run];
  const worth = (letter: string): number => (isFrequent(letter) ? 1 : common?.has(letter) ? COMMON : 0);
  return letters.reduce((sum, letter) => sum + worth(letter), 0) / letters.length;
}

/** How typical a run of foreign characters is of a script, from 0 to 1. */
const USUAL = {
  chinese: (run: string): number => share(run, (letter) => FREQUENT.chinese.includes(letter), commonIn("gbk")),
  traditional: (run: string): number =>
    share(
      run,
      (letter) => FREQUENT.traditional.includes(letter) || FREQUENT.chinese.includes(letter),
      commonIn("big5"),
    ),
  korean: (run: string): number => share(run, (letter) => FREQUENT.korean.includes(letter)),
  japanese: (run: string): number =>
    share(run, (letter) => /[\u3041-\u30fc]/.test(letter) || FREQUENT.japanese.includes(letter), commonIn("shift_jis")),
  // Ranges are escaped, so that they hold on a page that reads its script in another charset, and throw nothing there.
  // Text in a two-byte encoding would give capitals inside words, and lower case in one encoding is upper case in
  // another.
  cyrillic: (run: string): number => {
    if (!/^([\u0410-\u042f\u0401]?[\u0430-\u044f\u0451]{2,}|[\u0410-\u042f\u0401]{2,})$/.test(run)) return 0;
    const isCapital = /^[\u0410-\u042f\u0401]{2}/.test(run);
    return (isCapital ? 0.75 : 1) * share(run.toLowerCase(), (letter) => FREQUENT.cyrillic.includes(letter));
  },
  // Words end in only a few of the letters, and one accent is all but extinct.
  greek: (run: string): number =>
    /^[\u0391-\u03a9\u0386-\u038f]?[\u03b1-\u03c9\u03ac-\u03ce]{2,}$/.test(run) && /[αεηιοωυάέήίόύώςνρ]$/.test(run)
      ? 0.8
      : 0,
  // Five letters have a special form, used only at the end of words.
  hebrew: (run: string): number => (/^[אבגדהוזחטיכלמנסעפצקרשת]{2,}[ךםןףץ]?$/.test(run) ? 0.75 : 0),
  arabic: (run: string): number => (/^[\u0621-\u063a\u0641-\u064a]{2,}$/.test(run) ? 0.75 : 0),
  // Most byte pairs of East Asian texts are Thai letters, but few of them have vowel or tone marks.
  thai: (run: string): number =>
    /^([\u0e40\u0e41\u0e42\u0e43\u0e44]?[\u0e01-\u0e2e][\u0e30-\u0e3a\u0e47-\u0e4e]*)+$/.test(run) &&
    /[\u0e30-\u0e3a\u0e40\u0e41\u0e42\u0e43\u0e44\u0e47-\u0e4e]/.test(run)
      ? 0.55
      : 0.2 * Number(/^[\u0e01-\u0e2e]+$/.test(run)),
  // Between ASCII letters, two of these rarely meet.
  latin: (run: string): number => {
    if (/^[ÄÖÜÉÈÀÇÆØÅÑÓÍÚÁ]{1,2}$/.test(run)) return 0.4;
    return /^[äöüßéèêëàâçîïôûùñíóúáæøåìòãõ]{1,2}$/.test(run) ? 0.9 / run.length : 0;
  },
  central: (run: string): number => (/^[ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžČĎĚŇŘŠŤŮÝŽőűöüä]{1,3}$/.test(run) ? 0.8 : 0),
  turkish: (run: string): number => (/^[ğışçöüİĞŞÇÖÜ]{1,2}$/.test(run) ? 0.8 : 0),
} as const;
type Script = keyof typeof USUAL;

/** The platform's strict decoders. */
const ENCODINGS: readonly (readonly [iconv: string, label: string, script: Script])[] = [
  ["GBK", "gbk", "chinese"],
  ["SHIFT_JIS", "shift_jis", "japanese"],
  ["EUC-JP", "euc-jp", "japanese"],
  ["EUC-KR", "euc-kr", "korean"],
  ["BIG5", "big5", "traditional"],
  ["WINDOWS-1251", "windows-1251", "cyrillic"],
  ["KOI8-R", "koi8-r", "cyrillic"],
  ["IBM866", "ibm866", "cyrillic"],
  ["WINDOWS-1252", "windows-1252", "latin"],
  ["WINDOWS-1250", "windows-1250", "central"],
  ["WINDOWS-1254", "windows-1254", "turkish"],
  ["WINDOWS-1253", "windows-1253", "greek"],
  ["WINDOWS-1255", "windows-1255", "hebrew"],
  ["WINDOWS-1256", "windows-1256", "arabic"],
  ["CP874", "windows-874", "thai"],
  ["MACINTOSH", "macintosh", "latin"],
];

/** Enough bytes of a file to recognise its language. */
const SEEN = 65536;
/** The least score of a language, and its least lead over the others. */
const SURE = { score: 0.5, ahead: 0.15 } as const;
/** Other encodings need this score to be named, and at most this many are. */
const LEAST_OTHER = 0.3;
const MOST_OTHERS = 3;

/** Guesses the encoding of bytes that are not UTF-8, by the letters that they would stand for. */
export function guessEncoding(bytes: Uint8Array): EncodingGuess {
  const sure = (encoding: string, isSure = true): EncodingGuess => ({ encoding, isSure, others: [] });
  if (bytes[0] === 0xff && bytes[1] === 0xfe && bytes[2] === 0 && bytes[3] === 0) return sure("UTF-32");
  const zeros = bytes
    .subarray(0, SEEN)
    .reduce((count, byte, i) => count + (byte === 0 ? (i % 2 === 0 ? 1 : -1) : 0), 0);
  if (zeros !== 0) return sure(zeros < 0 ? "UTF-16LE" : "UTF-16BE", Math.abs(zeros) > 1);
  const start = foreignPart(bytes);
  const scored = ENCODINGS.flatMap(([encoding, label, script]) => {
    const text = decodedAs(start, label);
    return text === undefined ? [] : [{ encoding, text, score: plausibility(text, script) }];
  }).sort((a, b) => b.score - a.score);
  const [best] = scored;
  if (best === undefined) return sure("GBK", false);
  // Related encodings share many letters.
  const rivals = scored.filter(({ text }) => text !== best.text);
  const isSure = best.score >= SURE.score && best.score - (rivals[0]?.score ?? 0) >= SURE.ahead;
  const likely = rivals.filter(({ score }) => score >= Math.min(LEAST_OTHER, best.score));
  return {
    encoding: best.encoding,
    isSure,
    others: isSure ? [] : likely.slice(0, MOST_OTHERS).map((one) => one.encoding),
  };
}

/** The lines with non-ASCII bytes, up to {@link SEEN} bytes: a long ASCII start says nothing about the encoding. */
function foreignPart(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  for (let begin = 0; begin < bytes.length && out.length < SEEN; ) {
    const found = bytes.indexOf(0x0a, begin);
    const end = found < 0 ? bytes.length : found + 1;
    const line = bytes.subarray(begin, end);
    const first = line.findIndex((byte) => byte > 0x7f);
    // A single line may be a whole file of megabytes.
    if (first >= 0) out.push(...line.subarray(Math.max(0, first - 1), first + SEEN / 4));
    begin = end;
  }
  return Uint8Array.from(out);
}

/** Undefined if the bytes are not valid in the encoding. */
function decodedAs(bytes: Uint8Array, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** How typical the foreign characters of a text are of the script, from 0 to 1. */
function plausibility(text: string, script: Script): number {
  const runs = text.match(/[^\0-\x7f]+/gu) ?? [];
  const length = runs.reduce((sum, run) => sum + [...run].length, 0);
  if (length === 0) return 0;
  return runs.reduce((sum, run) => sum + [...run].length * USUAL[script](run), 0) / length;
}
