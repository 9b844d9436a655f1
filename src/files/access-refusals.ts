import { CountedMessages } from "../base/counted-messages.js";
import { loggedError, loggedPath } from "../base/logged-text.js";
import type { Logger } from "../base/logger.js";
import type { FileOperation } from "./file-operation.js";

/** Something that a client must not do. */
export interface AccessRefusal {
  readonly operation: FileOperation;
  /** Canonical. */
  readonly path: string;
  readonly to?: string;
  /** For the log. */
  readonly why?: string;
  /** Whether every client asks for it before it does what it may do. */
  readonly isUsual?: boolean;
}

/** What the log is told of refused accesses: the first of each operation is a line, all are counted. */
export class AccessRefusals {
  readonly #counted: CountedMessages;

  constructor(counted: CountedMessages) {
    this.#counted = counted;
  }

  static writingTo(logger: Pick<Logger, "debug" | "info" | "warn">): AccessRefusals {
    const counted = new CountedMessages((reason, details, level) =>
      logger[level]({ reason, ...details }, "a request was refused"),
    );
    return new AccessRefusals(counted);
  }

  refused({ operation, path, to, why, isUsual = false }: AccessRefusal): void {
    const details = {
      path: loggedPath(path),
      ...(to !== undefined && { to: loggedPath(to) }),
      ...(why !== undefined && { cause: loggedPath(why) }),
    };
    if (isUsual) this.#counted.note(`file access ${operation}: refused, as usual before an upload`, details, "debug");
    else this.#counted.note(`file access ${operation}: refused`, details);
  }

  /** What decides about accesses has thrown, which refuses. */
  failed(error: unknown, operation: FileOperation, path: string): void {
    const details = { operation, path: loggedPath(path), err: loggedError(error) };
    this.#counted.note("file access: the decision has failed", details, "warn");
  }
}
