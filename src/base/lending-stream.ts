/** Keys of methods, so that they are not among those that the users of a stream see. */
export const TAKE_LENT_DATA: unique symbol = Symbol("take lent data");
export const SEND_NOW: unique symbol = Symbol("send now");

/**
 * A stream that lends received data to a reader that copies them at once, and that does not use written data any more when the
 * callback of the write is called. A channel is one: rooms that know nothing of SSH see it so.
 */
export interface LendingStream {
  /**
   * Gives data to `take` in the place of the only listener of `data`. It is lent until `take` returns.
   *
   * @param take `undefined` for no longer
   */
  [TAKE_LENT_DATA](take: ((data: Buffer) => void) | undefined): void;
  /**
   * Sends what can be sent at once, past the stream's own machinery: nothing, where something waits that was written before.
   *
   * @param bytes may be overwritten when it returns
   * @returns how many were sent
   */
  [SEND_NOW](bytes: Uint8Array): number;
}

export function isLending(stream: object): stream is LendingStream {
  return TAKE_LENT_DATA in stream;
}
