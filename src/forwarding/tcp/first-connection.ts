import type { Socket } from "node:net";
import { PendingAnswer } from "../../connection/pending-answer.js";
import { connectForDirectReads } from "../../endpoint/direct-reads.js";

/** Milliseconds until the next address is tried beside the others ("Connection Attempt Delay", RFC 8305 §5). */
const ATTEMPT_DELAY = 250;

/**
 * Addresses that are tried at a time, each a descriptor for a client that may name hosts with many addresses. The oldest
 * attempt makes room for the next one after a second and a half: TCP has tried twice by then.
 */
const MAX_ATTEMPTS = 6;

/**
 * Connects to the addresses, one after the other has failed or has not answered for a moment, and keeps the first
 * connection that comes about (RFC 8305 §5).
 *
 * @param addresses at least one; in the order in which they are tried
 * @returns a socket whose errors end it and nothing else. Rejects with the error of the only address, with an
 *   AggregateError of several, and with the reason of the signal
 */
export async function firstConnection(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const answer = new PendingAnswer<Socket>(signal);
  const left = addresses.values();
  const attempts = new Set<Socket>();
  const errors: Error[] = [];
  let timer: NodeJS.Timeout | undefined;

  const tryNext = () => {
    clearTimeout(timer);
    if (answer.settled) return;
    const { value: host } = left.next();
    if (host !== undefined) {
      const [oldest] = attempts;
      if (oldest !== undefined && attempts.size >= MAX_ATTEMPTS) abandon(oldest);
      attempt(host);
      timer = setTimeout(tryNext, ATTEMPT_DELAY);
    } else if (attempts.size === 0) {
      answer.reject(errors.length === 1 ? errors[0] : new AggregateError(errors, "no address could be reached"));
    }
  };

  const abandon = (socket: Socket) => {
    attempts.delete(socket);
    errors.push(new Error("no answer in time"));
    socket.destroy();
  };

  const attempt = (host: string) => {
    const socket = connectForDirectReads({ host, port, allowHalfOpen: true, noDelay: true });
    attempts.add(socket);
    // Stays for good: a connection may break before anybody else listens.
    socket.on("error", (error) => {
      if (!attempts.delete(socket)) return;
      errors.push(error);
      tryNext();
    });
    socket.once("connect", () => {
      if (answer.settled) return;
      attempts.delete(socket);
      answer.resolve(socket);
    });
  };

  tryNext();
  try {
    return await answer.promise;
  } finally {
    clearTimeout(timer);
    for (const socket of attempts) socket.destroy();
  }
}
