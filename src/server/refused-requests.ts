import type { CountedMessages, NoteLevel } from "../base/counted-messages.js";
import { loggedPath, loggedText } from "../base/logged-text.js";
import type { Request } from "../protocol/messages/requests.js";
import type { Reader } from "../protocol/reader.js";

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

/** Clients ask for it on behalf of a user's configuration, and do not tell the user. */
const AGENT = "auth-agent-req@openssh.com";

/** Requests that clients send whether or not there is a terminal. */
const USUAL: readonly string[] = ["window-change"];

/** Variables that every stock client sends: SendEnv of Debian and others. */
const STOCK_VARIABLE = /^(LANG|LC_\w+|COLORTERM|NO_COLOR)$/;

/** Why a request on a channel was refused, where something in the server decides about it. */
type RefusalReason =
  | "refused"
  | "refused when it had begun"
  | "sftp has no files for this user"
  | "sftp has no folder to serve"
  | "not permitted to this user";

/** The reason where nothing in the server allows something. */
export const NOTHING_ALLOWS = "nothing allows it";

/**
 * The requests of a client that were refused. Those that every stock client sends are lines at debug level; those that
 * nothing allows at warn, since the program may have left something out.
 */
export class RefusedRequests {
  readonly #counted: CountedMessages;

  constructor(counted: CountedMessages) {
    this.#counted = counted;
  }

  /**
   * @param request before its fields are read
   * @returns notes that it was refused. `remedy` is for what nothing allows, and `cause` for a fault of the server
   */
  onChannel({ kind, fields }: Request): (reason: RefusalReason, remedy?: string, cause?: string) => void {
    const variable = kind === "env" ? fields.copy() : undefined;
    const exec = kind === "exec" ? fields.copy() : undefined;
    return (reason, remedy, cause) => {
      const name = variable && textOf(variable);
      const command = exec && textOf(exec);
      const isUsual = name === undefined ? USUAL.includes(kind) || isExtension(kind) : STOCK_VARIABLE.test(name);
      const what = KNOWN.includes(kind) ? `channel request ${kind}` : "channel request of another kind";
      this.#note(isUsual ? `${what}, as usual` : what, reason, remedy, {
        level: levelOf(isUsual, kind === AGENT ? undefined : (remedy ?? cause)),
        details: {
          request: loggedText(kind),
          ...(name !== undefined && { variable: loggedText(name) }),
          ...(command !== undefined && { command: loggedPath(command) }),
          ...(cause !== undefined && { cause }),
        },
      });
    };
  }

  /** A global request that the library does not know. @param remedy where nothing allows it */
  global(kind: string, remedy?: string): void {
    this.#note("global request of another kind", "refused", remedy, {
      level: levelOf(isExtension(kind), remedy),
      details: { request: loggedText(kind) },
    });
  }

  #note(
    what: string,
    reason: string,
    remedy: string | undefined,
    { level, details }: { readonly level: NoteLevel; readonly details: object },
  ): void {
    if (remedy === undefined) this.#counted.note(`${what}: ${reason}`, details, level);
    else this.#counted.note(`${what}: ${NOTHING_ALLOWS}`, { ...details, remedy }, level);
  }
}

function levelOf(isUsual: boolean, remedy: string | undefined): NoteLevel {
  if (isUsual) return "debug";
  return remedy === undefined ? "info" : "warn";
}

/** The first text of a request; `undefined` where it has none, as it may be on a channel that is not a session. */
function textOf(fields: Reader): string | undefined {
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
