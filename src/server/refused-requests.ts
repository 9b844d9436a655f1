import { loggedText } from "../base/logged-text.js";
import type { Request } from "../protocol/messages/requests.js";
import type { Reader } from "../protocol/reader.js";
import type { CountedMessages } from "./counted-messages.js";

/** Requests by names of their own in the log. Others are counted together: clients can make up any number of names. */
const KNOWN: readonly string[] = [
  "exec",
  "shell",
  "subsystem",
  "pty-req",
  "window-change",
  "env",
  "signal",
  "break",
  "x11-req",
  "auth-agent-req@openssh.com",
];

/** Variables that every stock client sends: SendEnv of Debian and others. */
const STOCK_VARIABLE = /^(LANG|LC_\w+)$/;

/** The requests of a client that were refused. Those that every stock client sends are lines at debug level. */
export class RefusedRequests {
  readonly #counted: CountedMessages;

  constructor(counted: CountedMessages) {
    this.#counted = counted;
  }

  /**
   * @param request before its fields are read
   * @returns notes that it was refused
   */
  onChannel({
    kind,
    fields,
  }: Request): (reason: "refused" | "refused when it had begun" | "not permitted to this user") => void {
    const variable = kind === "env" ? fields.copy() : undefined;
    return (reason) => {
      const name = variable && nameOf(variable);
      const isUsual = name === undefined ? isExtension(kind) : STOCK_VARIABLE.test(name);
      const details = { request: loggedText(kind), ...(name !== undefined && { variable: loggedText(name) }) };
      const what = KNOWN.includes(kind) ? `channel request ${kind}` : "channel request of another kind";
      this.#counted.note(
        isUsual ? `${what}, as usual: ${reason}` : `${what}: ${reason}`,
        details,
        isUsual ? "debug" : "info",
      );
    };
  }

  /** A global request that the library does not know. */
  global(kind: string): void {
    const level = isExtension(kind) ? "debug" : "info";
    this.#counted.note("global request of another kind: refused", { request: loggedText(kind) }, level);
  }
}

/** The name of a variable; `undefined` where the request has none, as it may be on a channel that is not a session. */
function nameOf(fields: Reader): string | undefined {
  try {
    return fields.readString().toString();
  } catch {
    return undefined;
  }
}

/** Whether a name is somebody's own (RFC 4250 §4.6.1): clients try such requests and go on without them. */
function isExtension(kind: string): boolean {
  return kind.includes("@") && !KNOWN.includes(kind);
}
