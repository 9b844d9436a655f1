const BYTE_ORDER_MARK = "\ufeff";

// RFC 8259 §2, §6, §7.
const WHITE_SPACE = /[ \t\r\n]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[\da-f]{4}))*"/iuy;
const NUMBER_OR_NAME = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y;

/**
 * Reads a text in JSON, with a byte order mark or without.
 *
 * @throws {Error} that tells the line and column of a fault: the errors of Node.js do not always
 */
export function parseJSON(text: string): unknown {
  const json = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    const offset = new Walk(json).toFault();
    const before = json.slice(0, offset).split("\n");
    const column = (before.at(-1)?.length ?? 0) + 1;
    throw new Error(`line ${before.length}, column ${column}: ${describeFault(json, offset)}`, { cause: error });
  }
}

/** A walk through a text, as far as it is JSON. */
class Walk {
  readonly #text: string;
  #offset = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns the offset of what cannot stand where it stands */
  toFault(): number {
    this.#value();
    this.#take(WHITE_SPACE);
    return this.#offset;
  }

  #value(): boolean {
    if (this.#takeOne("{")) return this.#takeOne("}") || this.#list("}", () => this.#member());
    if (this.#takeOne("[")) return this.#takeOne("]") || this.#list("]", () => this.#value());
    return this.#take(STRING) || this.#take(NUMBER_OR_NAME);
  }

  #member(): boolean {
    return this.#take(STRING) && this.#takeOne(":") && this.#value();
  }

  #list(end: string, element: () => boolean): boolean {
    do {
      if (!element()) return false;
    } while (this.#takeOne(","));
    return this.#takeOne(end);
  }

  #takeOne(character: string): boolean {
    this.#take(WHITE_SPACE);
    if (this.#text[this.#offset] !== character) return false;
    this.#offset++;
    return true;
  }

  #take(expression: RegExp): boolean {
    if (expression !== WHITE_SPACE) this.#take(WHITE_SPACE);
    expression.lastIndex = this.#offset;
    const [found] = expression.exec(this.#text) ?? [];
    this.#offset += found?.length ?? 0;
    return found !== undefined;
  }
}

function describeFault(text: string, offset: number): string {
  const rest = text.slice(offset, offset + 2);
  const [character] = text.slice(offset);
  if (character === undefined) return "the text ends in the middle";
  if (rest === "//" || rest === "/*" || character === "#") return "JSON has no comments";
  if ("]}".includes(character) && text.slice(0, offset).trimEnd().endsWith(",")) {
    return `JSON has no comma in front of ${character}`;
  }
  if (character === '"' && !/^"[^"\\\n]*"/.test(text.slice(offset))) return "a text that JSON does not have";
  return `JSON has no ${JSON.stringify(character)} here`;
}
