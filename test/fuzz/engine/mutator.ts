import type { Random } from "./random.js";

const INTERESTING_BYTES = [0, 1, 2, 4, 8, 0x0a, 0x0d, 0x20, 0x2c, 0x2f, 0x2e, 0x3d, 0x22, 0x5c, 0x7f, 0x80, 0xff];

/** What lengths, counts and windows go wrong at. */
const INTERESTING_NUMBERS = [
  0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 257, 1023, 1024, 4095, 4096, 32767, 32768,
  32769, 65535, 65536, 262_143, 262_144, 262_145, 0xff_ffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];

/** Words that appear wherever SSH is spoken, beside those that the engine finds in the code. */
const WORDS = [
  "ssh-connection",
  "ssh-userauth",
  "publickey",
  "password",
  "keyboard-interactive",
  "session",
  "none",
  "ssh-ed25519",
  "ssh-rsa",
  "rsa-sha2-256",
  "ecdsa-sha2-nistp256",
  "../",
  "/",
  "\u0000",
  "\r\n",
  "\ufeff",
  "\u2028",
  " ",
  "\t",
  "-----BEGIN ",
  "-----END ",
  "4294967295",
  "9007199254740993",
];

type Mutation = (bytes: Buffer, other: Buffer) => Buffer;

/** Makes new inputs of old ones: the same from the same random numbers. */
export class Mutator {
  readonly #random: Random;
  readonly #maximumLength: number;
  readonly #words: readonly Buffer[];
  readonly #bytes: readonly number[];
  readonly #numbers: readonly number[];
  readonly #mutations: readonly Mutation[];

  /** @param literals what the code under test may compare with */
  constructor(random: Random, maximumLength: number, literals: Iterable<string | number> = []) {
    this.#random = random;
    this.#maximumLength = maximumLength;
    const all = [...literals];
    const numbers = all.filter((literal) => typeof literal === "number");
    this.#words = [...new Set([...WORDS, ...all.filter((literal) => typeof literal === "string")])].map((word) =>
      Buffer.from(word),
    );
    this.#bytes = [...new Set([...INTERESTING_BYTES, ...numbers.filter((number) => number < 256)])];
    this.#numbers = [...new Set([...INTERESTING_NUMBERS, ...numbers])];
    this.#mutations = [
      this.#flipBit,
      this.#setByte,
      this.#addToByte,
      this.#setNumber,
      this.#changeLength,
      this.#changeLength,
      this.#replaceString,
      this.#replaceString,
      this.#insertWord,
      this.#overwriteWithWord,
      this.#insertBytes,
      this.#removeBytes,
      this.#repeatBytes,
      this.#stretch,
      this.#moveBytes,
      this.#splice,
      this.#insertPart,
      this.#changeDigits,
      this.#truncate,
    ];
  }

  /** @param other another input, to take parts from */
  mutate(input: Buffer, other: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(input);
    const count = this.#random.oneIn(3) ? 1 : 1 + this.#random.below(6);
    for (let index = 0; index < count; index++) bytes = this.#random.pick(this.#mutations)(bytes, other);
    return bytes.subarray(0, this.#maximumLength);
  }

  readonly #flipBit: Mutation = (bytes) => {
    if (bytes.length === 0) return bytes;
    const at = this.#random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << this.#random.below(8));
    return bytes;
  };

  readonly #setByte: Mutation = (bytes) => {
    if (bytes.length === 0) return bytes;
    const value = this.#random.oneIn(2) ? this.#random.pick(this.#bytes) : this.#random.below(256);
    bytes[this.#random.below(bytes.length)] = value;
    return bytes;
  };

  readonly #addToByte: Mutation = (bytes) => {
    if (bytes.length === 0) return bytes;
    const at = this.#random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) + this.#random.below(17) - 8;
    return bytes;
  };

  readonly #setNumber: Mutation = (bytes) => {
    if (bytes.length < 4) return bytes;
    bytes.writeUInt32BE(this.#random.pick(this.#numbers), this.#random.below(bytes.length - 3));
    return bytes;
  };

  /** Makes one of the lengths that are right a little, or altogether, wrong. */
  readonly #changeLength: Mutation = (bytes) => {
    const at = this.#findString(bytes);
    if (at === undefined) return this.#setNumber(bytes, bytes);
    const length = bytes.readUInt32BE(at);
    const changed = this.#random.oneIn(2) ? length + this.#random.below(9) - 4 : this.#random.pick(this.#numbers);
    bytes.writeUInt32BE(changed >>> 0, at);
    return bytes;
  };

  /** Puts something else into a string, with the length that it then has. */
  readonly #replaceString: Mutation = (bytes, other) => {
    const at = this.#findString(bytes);
    if (at === undefined) return this.#insertWord(bytes, other);
    const end = at + 4 + bytes.readUInt32BE(at);
    const content = this.#random.oneIn(3) ? this.#part(other, 64) : this.#random.pick(this.#words);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([bytes.subarray(0, at), length, content, bytes.subarray(end)]);
  };

  readonly #insertWord: Mutation = (bytes) => insert(bytes, this.#place(bytes), this.#random.pick(this.#words));

  readonly #overwriteWithWord: Mutation = (bytes) => {
    this.#random.pick(this.#words).copy(bytes, this.#place(bytes));
    return bytes;
  };

  readonly #insertBytes: Mutation = (bytes) => {
    const length = 1 + this.#random.below(this.#random.oneIn(8) ? 512 : 8);
    const inserted = this.#random.oneIn(2) ? this.#random.bytes(length) : Buffer.alloc(length, this.#random.below(256));
    return insert(bytes, this.#place(bytes), inserted);
  };

  readonly #removeBytes: Mutation = (bytes) => {
    const start = this.#place(bytes);
    const end = start + 1 + this.#random.below(this.#random.oneIn(4) ? bytes.length + 1 : 8);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  };

  readonly #repeatBytes: Mutation = (bytes) => {
    const part = this.#part(bytes, 128);
    const times = 1 + this.#random.below(this.#random.oneIn(8) ? 64 : 3);
    return insert(bytes, this.#place(bytes), Buffer.concat(Array.from({ length: times }, () => part)));
  };

  /** Once in a while, as much as there may be of one short part: what takes the square of its length takes long then. */
  readonly #stretch: Mutation = (bytes, other) => {
    if (!this.#random.oneIn(8)) return this.#repeatBytes(bytes, other);
    const part = this.#random.oneIn(2) ? this.#part(bytes, 4) : this.#random.pick(this.#words);
    const room = Math.max(0, this.#maximumLength - bytes.length);
    return insert(bytes, this.#place(bytes), Buffer.alloc(part.length === 0 ? 0 : room, part));
  };

  readonly #moveBytes: Mutation = (bytes) => {
    this.#part(bytes, 64).copy(bytes, this.#place(bytes));
    return bytes;
  };

  readonly #splice: Mutation = (bytes, other) =>
    Buffer.concat([bytes.subarray(0, this.#place(bytes)), other.subarray(this.#place(other))]);

  readonly #insertPart: Mutation = (bytes, other) => insert(bytes, this.#place(bytes), this.#part(other, 256));

  /** Numbers in texts: changes one digit, or puts another number in the place of all. */
  readonly #changeDigits: Mutation = (bytes, other) => {
    const numbers = [...bytes.toString("latin1").matchAll(/\d+/g)];
    if (numbers.length === 0) return this.#setByte(bytes, other);
    const found = this.#random.pick(numbers);
    const text = String(this.#random.pick(this.#numbers));
    const rest = bytes.subarray(found.index + found[0].length);
    return Buffer.concat([bytes.subarray(0, found.index), Buffer.from(text), rest]);
  };

  readonly #truncate: Mutation = (bytes) => bytes.subarray(0, this.#place(bytes));

  /** Where four bytes could be the length of what follows them. */
  #findString(bytes: Buffer): number | undefined {
    if (bytes.length < 4) return undefined;
    const start = this.#random.below(bytes.length - 3);
    for (let step = 0; step < bytes.length - 3; step++) {
      const at = (start + step) % (bytes.length - 3);
      if (bytes.readUInt32BE(at) <= bytes.length - at - 4) return at;
    }
    return undefined;
  }

  #place(bytes: Buffer): number {
    return this.#random.below(bytes.length + 1);
  }

  #part(bytes: Buffer, maximum: number): Buffer {
    const start = this.#place(bytes);
    return Buffer.from(bytes.subarray(start, start + 1 + this.#random.below(maximum)));
  }
}

function insert(bytes: Buffer, at: number, inserted: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}
