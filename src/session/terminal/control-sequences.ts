const ESCAPE = 0x1b;
const BELL = 0x07;
const BRACKET = 0x5b;
const CANCEL = 0x18;
const SUBSTITUTE = 0x1a;

/** Bytes of a control sequence that are kept; longer ones are passed over. */
const MAX_SEQUENCE_LENGTH = 64;

type State = "text" | "escape" | "intermediate" | "sequence" | "string" | "stringEscape";

/** The second characters of DCS, SOS, OSC, PM and APC (ECMA-48 §8.3): a string follows. */
const STRING_STARTS = new Set(["P", "X", "]", "^", "_"]);

/**
 * Finds control sequences in output, wherever it is cut into pieces: `ESC [ … F` (ECMA-48 §5.4) is told as `[…F`, and
 * `ESC F` as `F`.
 */
export class ControlSequences {
  readonly #found: (sequence: string) => void;
  #state: State = "text";
  #sequence = "";

  constructor(found: (sequence: string) => void) {
    this.#found = found;
  }

  /** Whether the output has ended inside a sequence. */
  get unfinished(): boolean {
    return this.#state !== "text";
  }

  read(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#state !== "text") {
        this.#next(bytes.readUInt8(at++));
        continue;
      }
      const start = bytes.indexOf(ESCAPE, at);
      if (start < 0) return;
      at = this.#readWhole(bytes, start + 1);
    }
  }

  /**
   * The usual case, a sequence that lies in one piece.
   *
   * @param start behind the escape
   * @returns where reading goes on
   */
  #readWhole(bytes: Buffer, start: number): number {
    let end = start + 1;
    if (bytes[start] === BRACKET) while (isParameter(bytes[end])) end++;
    if (bytes[start] === BRACKET && end < start + MAX_SEQUENCE_LENGTH && isFinal(bytes[end])) {
      this.#found(bytes.toString("latin1", start, end + 1));
      return end + 1;
    }
    this.#state = "escape";
    return start;
  }

  #next(byte: number): void {
    if (byte === CANCEL || byte === SUBSTITUTE) this.#state = "text";
    else if (this.#state === "string") this.#nextOfString(byte);
    else if (this.#state === "stringEscape" && byte === 0x5c) this.#state = "text";
    else if (byte === ESCAPE) this.#state = "escape";
    else if (this.#state === "sequence") this.#nextOfSequence(byte);
    else if (this.#state === "intermediate") this.#nextIntermediate(byte);
    else this.#start(byte);
  }

  /** The byte behind an escape. */
  #start(byte: number): void {
    const character = String.fromCharCode(byte);
    if (character === "[") {
      this.#state = "sequence";
      this.#sequence = character;
    } else if (STRING_STARTS.has(character)) {
      this.#state = "string";
    } else if (byte >= 0x20 && byte <= 0x2f) {
      this.#state = "intermediate";
    } else {
      this.#state = "text";
      this.#found(character);
    }
  }

  #nextOfSequence(byte: number): void {
    if (byte < 0x20) return;
    if (this.#sequence.length < MAX_SEQUENCE_LENGTH) this.#sequence += String.fromCharCode(byte);
    if (!isFinal(byte)) return;
    this.#state = "text";
    if (this.#sequence.endsWith(String.fromCharCode(byte))) this.#found(this.#sequence);
  }

  #nextIntermediate(byte: number): void {
    if (byte >= 0x30) this.#state = "text";
  }

  #nextOfString(byte: number): void {
    if (byte === ESCAPE) this.#state = "stringEscape";
    else if (byte === BELL) this.#state = "text";
  }
}

/** The parameters and intermediate bytes of a control sequence (ECMA-48 §5.4). */
function isParameter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte <= 0x3f;
}

function isFinal(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x40 && byte <= 0x7e;
}
