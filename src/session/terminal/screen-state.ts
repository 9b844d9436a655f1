import { ControlSequences } from "./control-sequences.js";

/** Ends a control sequence that was cut off (ECMA-48 §8.3.6). */
const CANCEL = "\u0018";
/** DEC private modes that are set from the start: autowrap, key repeat, the cursor. */
const SET_AT_FIRST = new Set([7, 8, 25]);
/** Setting these back would do more: clear the screen, move the cursor, or choose what differs between terminals. */
const LEFT_ALONE = new Set([3, 12, 1007, 1034, 1048]);
/** The alternate screen, in its three forms. */
const ALTERNATE_SCREENS = [47, 1047, 1049];
/** Output is held back until this mode ends. */
const SYNCHRONIZED_OUTPUT = 2026;
const MAX_MODES = 64;
const MAX_KEYBOARD_LEVELS = 32;

/**
 * What a program has changed of the terminal that it writes to, and has not changed back: DEC private modes (the cursor,
 * the alternate screen, mouse, bracketed paste, …), keyboard protocols, colours, the scrolling region.
 */
export class ScreenState {
  readonly #sequences = new ControlSequences((sequence) => this.#apply(sequence));
  /** DEC private modes that are not as they were at first. */
  readonly #changed = new Set<number>();
  /** Levels of the keyboard protocol of kitty, which each screen has of its own. */
  readonly #keyboardLevels = { main: 0, alternate: 0 };
  #keyboardFlags = false;
  #modifiedKeys = false;
  #styled = false;
  #scrollingRegion = false;
  #applicationKeypad = false;
  #cursorShape = false;

  write(bytes: Buffer): void {
    this.#sequences.read(bytes);
  }

  /** The sequences that undo what was done; empty where there is nothing to undo. */
  undo(): string {
    const others = [...this.#changed].filter(
      (mode) => !ALTERNATE_SCREENS.includes(mode) && mode !== SYNCHRONIZED_OUTPUT,
    );
    const alternate = ALTERNATE_SCREENS.filter((mode) => this.#changed.has(mode));
    return [
      this.#sequences.unfinished ? CANCEL : "",
      this.#changed.has(SYNCHRONIZED_OUTPUT) ? setBack(SYNCHRONIZED_OUTPUT) : "",
      alternate.length > 0 ? popKeyboard(this.#keyboardLevels.alternate) : "",
      this.#styled ? "\u001b[0m" : "",
      this.#scrollingRegion ? "\u001b7\u001b[r\u001b8" : "",
      ...alternate.map(setBack),
      popKeyboard(this.#keyboardLevels.main),
      this.#keyboardFlags ? "\u001b[=0u" : "",
      this.#modifiedKeys ? "\u001b[>4m" : "",
      this.#applicationKeypad ? "\u001b>" : "",
      this.#cursorShape ? "\u001b[0 q" : "",
      ...others.map(setBack),
    ].join("");
  }

  #apply(sequence: string): void {
    if (sequence === "=" || sequence === ">") this.#applicationKeypad = sequence === "=";
    else if (sequence === "c") this.#reset();
    else if (sequence.startsWith("[")) this.#applyControl(sequence);
  }

  #applyControl(sequence: string): void {
    const final = sequence.at(-1);
    if (final === "m") this.#applyStyle(sequence);
    else if (final === "h" || final === "l") this.#applyModes(sequence);
    else if (final === "u") this.#applyKeyboard(sequence);
    else if (/^\[[\d;]*r$/.test(sequence)) this.#scrollingRegion = sequence !== "[r";
    else if (/^\[\d* q$/.test(sequence)) this.#cursorShape = !/^\[0? q$/.test(sequence);
  }

  /** DECSET and DECRST. */
  #applyModes(sequence: string): void {
    const [, numbers, final] = /^\[\?([\d;]+)([hl])$/.exec(sequence) ?? [];
    if (numbers === undefined) return;
    for (const mode of numbers.split(";").map(Number)) this.#changeMode(mode, final === "h");
  }

  #changeMode(mode: number, set: boolean): void {
    if (LEFT_ALONE.has(mode)) return;
    if (set === SET_AT_FIRST.has(mode)) this.#changed.delete(mode);
    else if (this.#changed.size < MAX_MODES) this.#changed.add(mode);
  }

  /** The keyboard protocol of kitty: `> flags u` pushes, `< count u` pops, `= flags u` sets. */
  #applyKeyboard(sequence: string): void {
    const [, kind, number] = /^\[([<>=])(\d*)[\d;]*u$/.exec(sequence) ?? [];
    const screen = ALTERNATE_SCREENS.some((mode) => this.#changed.has(mode)) ? "alternate" : "main";
    const levels = this.#keyboardLevels[screen];
    if (kind === ">") this.#keyboardLevels[screen] = Math.min(levels + 1, MAX_KEYBOARD_LEVELS);
    else if (kind === "<") this.#keyboardLevels[screen] = Math.max(levels - (Number(number) || 1), 0);
    else if (kind === "=") this.#keyboardFlags = Number(number) !== 0;
  }

  #applyStyle(sequence: string): void {
    if (sequence.startsWith("[>4")) this.#modifiedKeys = /^\[>4;[1-9]/.test(sequence);
    else if (!/^\[[<=>?]/.test(sequence)) this.#styled = !/[[;]0*m$/.test(sequence);
  }

  /** RIS: the terminal is as it was at first. */
  #reset(): void {
    this.#changed.clear();
    Object.assign(this.#keyboardLevels, { main: 0, alternate: 0 });
    this.#keyboardFlags = false;
    this.#modifiedKeys = false;
    this.#styled = false;
    this.#scrollingRegion = false;
    this.#applicationKeypad = false;
    this.#cursorShape = false;
  }
}

function setBack(mode: number): string {
  return `\u001b[?${mode}${SET_AT_FIRST.has(mode) ? "h" : "l"}`;
}

function popKeyboard(levels: number): string {
  return levels === 0 ? "" : `\u001b[<${levels}u`;
}
