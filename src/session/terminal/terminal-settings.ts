/** What a control character does to the line that is being typed, or to the program that reads it. */
export type ControlFunction = "erase" | "kill" | "eraseWord" | "endOfFile" | { readonly signal: string };

/** The parts of a terminal's modes (RFC 4254 §8) that have an effect here. */
export interface TerminalSettings {
  /** Characters of ISIG; empty where it is off. */
  readonly signals: ReadonlyMap<number, ControlFunction>;
  /** Characters of ICANON: lines are edited before they are read. `undefined` where each byte is read at once. */
  readonly editing: ReadonlyMap<number, ControlFunction> | undefined;
  readonly echo: boolean;
  /** Control characters are echoed as `^X`. */
  readonly echoControl: boolean;
  /** Lines that a signal finds unfinished are kept. */
  readonly noFlush: boolean;
  /** Characters may be of several bytes. */
  readonly utf8: boolean;
  readonly returnToNewline: boolean;
  readonly newlineToReturn: boolean;
  readonly ignoreReturn: boolean;
  readonly stripHighBit: boolean;
  /** Output: `\n` becomes `\r\n`. */
  readonly newlineToReturnNewline: boolean;
}

/** The settings of a terminal, before a program asks for every byte, and while it does. */
export interface TerminalModes {
  readonly cooked: TerminalSettings;
  readonly raw: TerminalSettings;
}

/** RFC 4254 §8: this control character is not in use. Linux has 0 for it. */
const DISABLED = [0, 255];

/** Where the client says nothing: the settings of a new terminal of Linux. */
const SIGNAL_CHARACTERS = [
  ["VINTR", 0x03, { signal: "INT" }],
  ["VQUIT", 0x1c, { signal: "QUIT" }],
  ["VSUSP", 0x1a, { signal: "TSTP" }],
] as const;
const EDITING_CHARACTERS = [
  ["VERASE", 0x7f, "erase"],
  ["VKILL", 0x15, "kill"],
  ["VWERASE", 0x17, "eraseWord"],
  ["VEOF", 0x04, "endOfFile"],
] as const;

/** @param modes of the client's terminal, by the mnemonics of RFC 4254 §8 */
export function readTerminalModes(modes: ReadonlyMap<string, number>): TerminalModes {
  const flag = (name: string, usual: boolean) => (modes.get(name) ?? Number(usual)) !== 0;
  const characters = (table: readonly (readonly [string, number, ControlFunction])[]) =>
    new Map(
      table
        .map(([name, usual, effect]) => [modes.get(name) ?? usual, effect] as const)
        .filter(([character]) => !DISABLED.includes(character)),
    );
  const cooked: TerminalSettings = {
    signals: flag("ISIG", true) ? characters(SIGNAL_CHARACTERS) : new Map(),
    editing: flag("ICANON", true) ? characters(EDITING_CHARACTERS) : undefined,
    echo: flag("ECHO", true),
    echoControl: flag("ECHOCTL", true),
    noFlush: flag("NOFLSH", false),
    utf8: flag("IUTF8", true),
    returnToNewline: flag("ICRNL", true),
    newlineToReturn: flag("INLCR", false),
    ignoreReturn: flag("IGNCR", false),
    stripHighBit: flag("ISTRIP", false),
    newlineToReturnNewline: flag("OPOST", true) && flag("ONLCR", true),
  };
  return { cooked, raw: makeRaw(cooked, flag("OPOST", true)) };
}

/** What `setRawMode(true)` of Node.js leaves of the settings: output is processed as before, and newlines in any case. */
function makeRaw(cooked: TerminalSettings, processesOutput: boolean): TerminalSettings {
  return {
    ...cooked,
    signals: new Map(),
    editing: undefined,
    echo: false,
    returnToNewline: false,
    stripHighBit: false,
    newlineToReturnNewline: processesOutput,
  };
}
