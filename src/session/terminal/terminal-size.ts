import type { PseudoTerminal } from "../session-channel.js";

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Clients choose their size: programs that allocate by it have to survive any. */
const MAX_SIZE = 10_000;
/** For a client that does not know its size (RFC 4254 §6.2: 0). */
const UNKNOWN_SIZE: TerminalSize = { columns: 80, rows: 24 };

/** The size of a terminal in characters, from 1 to 10,000 each. */
export function terminalSize({ width, height }: Pick<PseudoTerminal, "width" | "height">): TerminalSize {
  return {
    columns: Math.min(width, MAX_SIZE) || UNKNOWN_SIZE.columns,
    rows: Math.min(height, MAX_SIZE) || UNKNOWN_SIZE.rows,
  };
}
