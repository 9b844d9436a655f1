import type { AgreedSecret } from "../crypto/kex/key-exchange.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import type { Direction, Negotiated } from "./negotiation.js";
import type { PhaseTable } from "./phases.js";

/** The differences between the two ends of a connection; all the rest of the machine is the same. */
export interface Role {
  /** The direction of what this side sends. */
  readonly sends: Direction;
  readonly receives: Direction;
  readonly ownMarkers: Markers;
  readonly peerMarkers: Markers;
  /** The messages that may come from the peer, and when. */
  readonly phases: PhaseTable;
  /** Lines that the peer may send before its identification (RFC 4253 §4.2). */
  readonly linesBeforeIdentification: number;
  /** The preferred signature algorithms of host keys that this side can use. */
  hostKeyAlgorithms(preferences: readonly string[]): readonly string[];
  /** This side's part in the method that was agreed on. */
  startMethod(negotiated: Negotiated, algorithms: AlgorithmPreferences): Method;
  /** The extensions that the peer is told in EXT_INFO (RFC 8308 §3). */
  extensions(algorithms: AlgorithmPreferences): ReadonlyMap<string, string>;
  /** Takes the peer's EXT_INFO. */
  receiveExtensions(extensions: ReadonlyMap<string, Buffer>): void;
}

/** Pseudo methods of key exchange that announce what a side can do. */
export interface Markers {
  /** Takes EXT_INFO (RFC 8308 §2.1). */
  readonly extInfo: string;
  /** Strict key exchange (OpenSSH PROTOCOL §1.10). */
  readonly strict: string;
}

export const clientMarkers: Markers = { extInfo: "ext-info-c", strict: "kex-strict-c-v00@openssh.com" };
export const serverMarkers: Markers = { extInfo: "ext-info-s", strict: "kex-strict-s-v00@openssh.com" };

/** One side's part in one run of a key exchange method. */
export interface Method {
  /** The first message, where this side sends it. */
  readonly opening: Buffer | undefined;
  /** @throws {ProtocolError} when the message is not the one that is due */
  receive(payload: Buffer): MethodStep;
}

export type MethodStep =
  /** Send `payload` and wait for the peer's next message. */
  { readonly kind: "continue"; readonly payload: Buffer } | ({ readonly kind: "done" } & MethodResult);

export interface MethodResult extends AgreedSecret {
  /** The server's public host key. */
  readonly hostKeyBlob: Buffer;
  /**
   * The server proves by a signature of the exchange hash that it has the host key, and the client sees to it. Called at
   * once, while the message that led to this is still in memory.
   *
   * @returns the method's last message, where this side sends it
   * @throws {ProtocolError} by rejection, when the key is not proven or not accepted
   */
  authenticate(exchangeHash: Buffer): Promise<Buffer | undefined>;
}
