/** Bytes of a line, its newline included: as on Linux. */
export const MAX_LINE_LENGTH = 4096;

const SPACE = 0x20;
const TAB = 0x09;
const DELETE = 0x7f;
/** A tab is echoed as spaces: the column where a line starts is known to the program alone. */
export const TAB_WIDTH = 8;

const WORD = /[\p{L}\p{N}_]/u;
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const WITHOUT_WIDTH = /[\p{M}\u200b-\u200f]/u;

/** A line that is being typed, and how much of it the terminal shows. */
export class TypedLine {
  #bytes: Buffer | undefined;
  #length = 0;
  readonly #utf8: boolean;
  readonly #controlWidth: number;

  /** @param echo how the terminal shows what is typed */
  constructor({ utf8, echoControl }: { readonly utf8: boolean; readonly echoControl: boolean }) {
    this.#utf8 = utf8;
    this.#controlWidth = echoControl ? 2 : 0;
  }

  get length(): number {
    return this.#length;
  }

  /** Adds a byte where there is room for it and a newline. */
  append(byte: number): boolean {
    if (this.#room === 0) return false;
    this.#buffer[this.#length++] = byte;
    return true;
  }

  /** Adds bytes as far as there is room for them and a newline; returns how many. */
  appendText(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(end - start, this.#room);
    if (count > 0) this.#length += bytes.copy(this.#buffer, this.#length, start, start + count);
    return count;
  }

  /** Takes out all that was typed, with `end` behind it. */
  take(...end: readonly number[]): Buffer {
    const line = Buffer.allocUnsafe(this.#length + end.length);
    this.#bytes?.copy(line, 0, 0, this.#length);
    line.set(end, this.#length);
    this.#length = 0;
    return line;
  }

  /** Removes the last character; returns how many columns it took. */
  erase(): number {
    const character = this.#last();
    this.#length -= character.length;
    return this.#width(character);
  }

  /** Removes the last word and what stands behind it; returns how many columns that took. */
  eraseWord(): number {
    let columns = 0;
    while (this.#length > 0 && !this.#endsInWord()) columns += this.erase();
    while (this.#length > 0 && this.#endsInWord()) columns += this.erase();
    return columns;
  }

  /** Removes everything; returns how many columns it took. */
  kill(): number {
    let columns = 0;
    while (this.#length > 0) columns += this.erase();
    return columns;
  }

  get #room(): number {
    return MAX_LINE_LENGTH - 1 - this.#length;
  }

  get #buffer(): Buffer {
    this.#bytes ??= Buffer.allocUnsafeSlow(MAX_LINE_LENGTH);
    return this.#bytes;
  }

  #endsInWord(): boolean {
    return WORD.test(this.#text(this.#last()));
  }

  #last(): Buffer {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    let start = bytes.length - 1;
    const earliest = Math.max(0, bytes.length - 4);
    while (this.#utf8 && start > earliest && isContinuation(bytes[start])) start--;
    return bytes.subarray(Math.max(start, 0));
  }

  #text(character: Buffer): string {
    return character.toString(this.#utf8 ? "utf8" : "latin1");
  }

  #width(character: Buffer): number {
    const [first] = character;
    if (first === undefined) return 0;
    if (first === TAB) return TAB_WIDTH;
    if (first < SPACE || first === DELETE) return this.#controlWidth;
    if (first < DELETE) return 1;
    const text = this.#text(character);
    if (WITHOUT_WIDTH.test(text)) return 0;
    return WIDE.test(text) ? 2 : 1;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
