const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Puts a return before each newline, as a terminal does with ONLCR. Where there is one, it is not doubled: programs that
 * know of the terminal write `\r\n` themselves.
 */
export class NewlineTranslation {
  #afterReturn = false;

  translate(bytes: Buffer): Buffer {
    const lacking = this.#lacking(bytes);
    if (bytes.length > 0) this.#afterReturn = bytes[bytes.length - 1] === RETURN;
    if (lacking.length === 0) return bytes;
    const translated = Buffer.allocUnsafe(bytes.length + lacking.length);
    let start = 0;
    let length = 0;
    for (const position of lacking) {
      length += bytes.copy(translated, length, start, position);
      translated[length++] = RETURN;
      start = position;
    }
    bytes.copy(translated, length, start);
    return translated;
  }

  /** The positions of newlines that no return comes before. */
  #lacking(bytes: Buffer): number[] {
    const positions: number[] = [];
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) {
      const afterReturn = at === 0 ? this.#afterReturn : bytes[at - 1] === RETURN;
      if (!afterReturn) positions.push(at);
    }
    return positions;
  }
}
