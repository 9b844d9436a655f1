import type { ControlFunction, TerminalModes, TerminalSettings } from "./terminal-settings.js";
import { TAB_WIDTH, TypedLine } from "./typed-line.js";

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DELETE = 0x7f;
const BELL = "\u0007";
const ERASE_COLUMN = "\b \b";

/** The sides that a line discipline stands between. */
export interface DisciplineEnds {
  /** Bytes for the program. */
  read(bytes: Buffer): void;
  /** The person at the terminal says that nothing more comes. */
  end(): void;
  /** Bytes for the terminal. */
  echo(bytes: Buffer): void;
  /** A signal was typed; its name comes without SIG. */
  signal(name: string): void;
}

/**
 * What a terminal does between the keys and the program (termios(3)): it edits lines, echoes, and turns some characters
 * into signals, or hands on each byte as it comes.
 */
export class LineDiscipline {
  readonly #modes: TerminalModes;
  readonly #ends: DisciplineEnds;
  readonly #line: TypedLine;
  #settings: TerminalSettings;
  #isText: Uint8Array;
  #echoed = "";
  /** The person has heard that the line is full. */
  #warned = false;

  constructor(modes: TerminalModes, ends: DisciplineEnds) {
    this.#modes = modes;
    this.#settings = modes.cooked;
    this.#isText = textBytes(modes.cooked);
    this.#line = new TypedLine(modes.cooked);
    this.#ends = ends;
  }

  get settings(): TerminalSettings {
    return this.#settings;
  }

  /** An unfinished line becomes readable, as on a terminal. */
  setMode(mode: "raw" | "cooked"): void {
    this.#settings = this.#modes[mode];
    this.#isText = textBytes(this.#settings);
    if (this.#settings.editing === undefined) this.finish();
  }

  /** What was typed of a line can be read, since nothing more comes. */
  finish(): void {
    if (this.#line.length > 0) this.#ends.read(this.#line.take());
  }

  receive(bytes: Buffer): void {
    this.#warned = false;
    // The program may change the mode when it has read a byte, and so for the bytes behind it.
    for (let rest = bytes; rest.length > 0; ) rest = rest.subarray(this.#receiveInMode(rest));
    this.#flushEcho();
  }

  /** @returns how many bytes were taken before the mode has changed */
  #receiveInMode(bytes: Buffer): number {
    const { editing } = this.#settings;
    if (handsOn(this.#settings)) this.#ends.read(bytes);
    else if (editing === undefined) this.#receiveBytes(bytes);
    else return this.#typeBytes(bytes, editing);
    return bytes.length;
  }

  #typeBytes(bytes: Buffer, editing: ReadonlyMap<number, ControlFunction>): number {
    const settings = this.#settings;
    let taken = 0;
    while (taken < bytes.length && this.#settings === settings) {
      const end = this.#endOfText(bytes, taken);
      if (end > taken) this.#typeText(bytes, taken, end);
      else this.#type(bytes.readUInt8(taken), editing);
      taken = Math.max(end, taken + 1);
    }
    return taken;
  }

  /** Where the bytes end that only become a part of the line. */
  #endOfText(bytes: Buffer, start: number): number {
    let end = start;
    while (end < bytes.length && this.#isText[bytes[end] ?? 0] === 1) end++;
    return end;
  }

  #typeText(bytes: Buffer, start: number, end: number): void {
    const added = this.#line.appendText(bytes, start, end);
    if (this.#settings.echo) this.#echoed += bytes.toString("latin1", start, start + added);
    if (added < end - start) this.#warn();
  }

  #receiveBytes(bytes: Buffer): void {
    const read = Buffer.allocUnsafe(bytes.length);
    let length = 0;
    for (const typed of bytes) {
      const byte = this.#translate(typed);
      if (byte === undefined || this.#signal(byte)) continue;
      read[length++] = byte;
      this.#echo(byte);
    }
    if (length > 0) this.#ends.read(read.subarray(0, length));
  }

  #type(typed: number, editing: ReadonlyMap<number, ControlFunction>): void {
    const byte = this.#translate(typed);
    if (byte === undefined || this.#signal(byte)) return;
    const effect = editing.get(byte);
    if (effect !== undefined) this.#edit(effect);
    else if (byte === NEWLINE) this.#endLine();
    else if (this.#line.append(byte)) this.#echo(byte);
    else this.#warn();
  }

  /** A byte as the program gets it; `undefined` where it gets none. */
  #translate(typed: number): number | undefined {
    const settings = this.#settings;
    const byte = settings.stripHighBit ? typed & 0x7f : typed;
    if (byte === RETURN) {
      if (settings.ignoreReturn) return undefined;
      return settings.returnToNewline ? NEWLINE : byte;
    }
    return byte === NEWLINE && settings.newlineToReturn ? RETURN : byte;
  }

  #signal(byte: number): boolean {
    const effect = this.#settings.signals.get(byte);
    if (typeof effect !== "object") return false;
    if (!this.#settings.noFlush) this.#line.take();
    this.#echo(byte);
    this.#flushEcho();
    this.#ends.signal(effect.signal);
    return true;
  }

  #edit(effect: ControlFunction): void {
    if (effect === "erase") this.#eraseColumns(this.#line.erase());
    else if (effect === "eraseWord") this.#eraseColumns(this.#line.eraseWord());
    else if (effect === "kill") this.#eraseColumns(this.#line.kill());
    else if (this.#line.length > 0) this.finish();
    else this.#ends.end();
  }

  #endLine(): void {
    this.#echo(NEWLINE);
    this.#ends.read(this.#line.take(NEWLINE));
  }

  /** Once for each piece of input: a client that sends without newlines does not get a bell for each byte. */
  #warn(): void {
    if (!this.#warned) this.#echoed += BELL;
    this.#warned = true;
  }

  #eraseColumns(count: number): void {
    if (this.#settings.echo) this.#echoed += ERASE_COLUMN.repeat(count);
  }

  #echo(byte: number): void {
    if (!this.#settings.echo) return;
    if (byte === TAB) this.#echoed += " ".repeat(TAB_WIDTH);
    else if (byte === NEWLINE || (byte >= SPACE && byte !== DELETE) || !this.#settings.echoControl)
      this.#echoed += String.fromCharCode(byte);
    else this.#echoed += `^${String.fromCharCode(byte ^ 0x40)}`;
  }

  #flushEcho(): void {
    if (this.#echoed === "") return;
    const bytes = Buffer.from(this.#echoed, "latin1");
    this.#echoed = "";
    this.#ends.echo(bytes);
  }
}

/** Whether bytes come as they were sent. */
function handsOn(settings: TerminalSettings): boolean {
  const { editing, signals, echo, stripHighBit, ignoreReturn, returnToNewline, newlineToReturn } = settings;
  const translates = stripHighBit || ignoreReturn || returnToNewline || newlineToReturn;
  return editing === undefined && signals.size === 0 && !echo && !translates;
}

/** 1 for each byte that is neither a control character nor changed, nor of any effect. */
function textBytes({ editing, signals, stripHighBit }: TerminalSettings): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => {
    const control = byte < SPACE || byte === DELETE;
    return Number(!control && !(stripHighBit && byte > DELETE) && !editing?.has(byte) && !signals.has(byte));
  });
}
