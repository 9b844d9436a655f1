import type { Session, SessionTerminal } from "../../../src/index.js";

/** @throws {Error} where the client has asked for none */
export function terminalOf({ terminal }: Session): SessionTerminal {
  if (terminal === undefined) throw new Error("this program needs a terminal");
  return terminal;
}
