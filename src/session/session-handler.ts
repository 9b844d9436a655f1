import type { MaybePromise } from "../base/maybe-promise.js";
import type { ProgramEnd } from "./program-end.js";
import type { Session } from "./session.js";

/**
 * The result of a session's handler: the exit status from 0 to 255, the end of a program that `session.run` gave, or nothing,
 * which is 0. Anything else is an error.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: the result of an async handler without `return` is a promise of void
export type SessionResult = number | ProgramEnd | undefined | void;

/** The work of a session. Its lifetime is that of the client's program. */
export type SessionHandler<Data = unknown> = (session: Session<Data>) => MaybePromise<SessionResult>;

/**
 * A layer around the handlers of sessions: does something, calls `next` once for what is inside, and does something when that
 * has ended. One that does not call `next` serves the session itself, and the handler is not run. `next` rejects with
 * whatever the handler has thrown.
 */
export type Middleware<Data = unknown> = (session: Session<Data>, next: () => Promise<void>) => Promise<void>;
