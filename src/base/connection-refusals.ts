import type { CountedMessages } from "./counted-messages.js";

/** Has the place where all that serves a connection counts what it refuses to the client; made when it is first needed. */
interface Notes {
  readonly refused: CountedMessages;
}

const notesOf = new WeakMap<object, Notes>();

export function setRefusalsOf(connection: object, notes: Notes): void {
  notesOf.set(connection, notes);
}

/** `undefined` where nobody counts them for the connection. */
export function refusalsOf(connection: object | undefined): CountedMessages | undefined {
  return connection && notesOf.get(connection)?.refused;
}
