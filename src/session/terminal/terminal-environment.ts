import type { SessionChannel } from "../session-channel.js";

/** Names of terminal types, as term(7) has them, and nothing that could be a path or a control sequence. */
const TERMINAL_TYPE = /^[\w.+-]{1,128}$/;
/** The type of a terminal of which nothing is known. */
const UNKNOWN_TYPE = "dumb";
const PRINTABLE = /^[\x20-\x7e]*$/;

/** TERM as a text that is safe to show and to look up; `dumb` for what cannot be the name of a terminal. */
export function terminalType(term: Buffer): string {
  const text = term.toString("latin1");
  return TERMINAL_TYPE.test(text) ? text : UNKNOWN_TYPE;
}

/** The variables that tell what a terminal can do: TERM, and those of the session that are plain text. */
export function terminalEnvironment({ environment, pty }: SessionChannel): Record<string, string> {
  const variables = [...environment].map(([name, value]) => [name, value.toString("latin1")] as const);
  const plain = variables.filter(([, value]) => PRINTABLE.test(value));
  return Object.fromEntries([...plain, ["TERM", pty === undefined ? UNKNOWN_TYPE : terminalType(pty.term)]]);
}
