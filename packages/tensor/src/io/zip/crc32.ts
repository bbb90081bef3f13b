const POLYNOMIAL = 0xedb88320;
const SLICES = 4;

let tables: Int32Array[] | undefined;

/** The CRC-32 of zip and PNG (reflected polynomial 0xEDB88320), updated piece by piece, four bytes per step. */
export class Crc32 {
  #crc = -1;
  readonly #tables = sharedTables();

  update(bytes: Uint8Array): this {
    const [t0, t1, t2, t3] = this.#tables as [Int32Array, Int32Array, Int32Array, Int32Array];
    const whole = bytes.length - (bytes.length % SLICES);
    let crc = this.#crc;
    let i = 0;
    for (; i < whole; i += SLICES) {
      crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      crc = t3[crc & 0xff]! ^ t2[(crc >>> 8) & 0xff]! ^ t1[(crc >>> 16) & 0xff]! ^ t0[crc >>> 24]!;
    }
    for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
    this.#crc = crc;
    return this;
  }

  get value(): number {
    return ~this.#crc >>> 0;
  }
}

function sharedTables(): Int32Array[] {
  tables ??= makeTables();
  return tables;
}

/** Table k holds the CRC of each byte followed by k zero bytes. */
export function makeTables(): Int32Array[] {
  const first = Int32Array.from({ length: 256 }, (_, i) => {
    let value = i;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
  const tables = [first];
  for (let k = 1; k < SLICES; k++) {
    tables.push(tables[k - 1]!.map((value) => first[value & 0xff]! ^ (value >>> 8)));
  }
  return tables;
}
