/** More of them would not be read. */
const MAX_REASONS = 8;

const reasons = new WeakMap<object, Set<string>>();

/**
 * Keeps why a ready-made decision refuses a login, for the log alone. A hook has only one way to say no, and the operator has
 * to know which of many it was.
 *
 * @param reason escaped already where it holds text of the client
 */
export function noteRefusal(connection: object, reason: string): void {
  const noted = reasons.get(connection) ?? new Set();
  if (noted.size < MAX_REASONS) noted.add(reason);
  reasons.set(connection, noted);
}

/** All reasons since the last call; `undefined` where there are none. */
export function takeRefusalReasons(connection: object): string | undefined {
  const noted = reasons.get(connection);
  reasons.delete(connection);
  return noted && [...noted].join("; ");
}
