import type { Duplex } from "node:stream";
import type { OpenRefusal } from "../connection/open-refusal.js";

/**
 * The answer to a client that wants to be connected to a target:
 *
 * - `false`, or a reason of RFC 4254 §5.1 with a text for the client, refuses.
 * - `true` lets the library connect to the target.
 * - A stream is joined to the client's channel: a socket, which may still be connecting, a channel of another connection,
 *   a test double. Each is for one channel.
 *
 * Anything else refuses, and is an error in the log.
 */
export type ForwardingDecision = boolean | OpenRefusal | Duplex;
