import type { CountedMessages } from "./counted-messages.js";

/** The counts of what is refused to one client, by all that serves its connection; made when first needed. */
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
