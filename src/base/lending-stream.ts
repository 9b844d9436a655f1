/** The key of a method, so that it is not among those that the users of a stream see. */
export const TAKE_LENT_DATA: unique symbol = Symbol("take lent data");

/**
 * A stream that lends what comes to whoever copies it at once, and that is done with what was written when the callback of the write is
 * called: a channel of SSH, to those who know nothing of SSH.
 */
export interface LendingStream {
  /**
   * Gives data to `take` in the place of the only listener of `data`. It is lent until `take` returns.
   *
   * @param take `undefined` for no longer
   */
  [TAKE_LENT_DATA](take: ((data: Buffer) => void) | undefined): void;
}

export function isLending(stream: object): stream is LendingStream {
  return TAKE_LENT_DATA in stream;
}
