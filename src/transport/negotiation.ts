import type { CipherAlgorithm, MacAlgorithm } from "../crypto/cipher/packet-cipher.js";
import { cipherAlgorithms, macAlgorithms } from "../crypto/cipher/registry.js";
import type { CompressionAlgorithm } from "../crypto/compression/compression.js";
import { compressionAlgorithms } from "../crypto/compression/registry.js";
import type { KeyExchangeAlgorithm } from "../crypto/kex/key-exchange.js";
import { keyExchangeAlgorithms } from "../crypto/kex/registry.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import type { KexInit } from "../protocol/messages/kex-init.js";

export type Direction = "clientToServer" | "serverToClient";

/** The algorithms that one direction of the connection uses. */
export interface NegotiatedDirection {
  readonly cipher: CipherAlgorithm;
  /** Absent when the cipher is an AEAD. */
  readonly mac?: MacAlgorithm;
  readonly compression: CompressionAlgorithm;
}

export interface Negotiated {
  readonly kex: KeyExchangeAlgorithm;
  /** The signature algorithm of the host key. */
  readonly hostKey: string;
  /** All signature algorithms of host keys that both sides can use, in the server's order. */
  readonly commonHostKeys: readonly string[];
  readonly clientToServer: NegotiatedDirection;
  readonly serverToClient: NegotiatedDirection;
}

/** The algorithms in use, by name. */
export interface NegotiatedNames {
  /** The key exchange. */
  readonly kex: string;
  /** The signature algorithm of the host key. */
  readonly hostKey: string;
  /** For what the client sends; an AEAD cipher has no `mac`. */
  readonly clientToServer: { readonly cipher: string; readonly mac?: string; readonly compression: string };
  /** For what the server sends; an AEAD cipher has no `mac`. */
  readonly serverToClient: { readonly cipher: string; readonly mac?: string; readonly compression: string };
}

/**
 * Chooses the algorithms of a connection: of each list, the client's first that the server has too (RFC 4253 §7.1).
 *
 * @throws {ProtocolError} with reason KEY_EXCHANGE_FAILED, naming the kind that has no common algorithm
 */
export function negotiate(client: KexInit, server: KexInit): Negotiated {
  return {
    kex: choose("key exchange", client.kex, server.kex, keyExchangeAlgorithms),
    hostKey: common("host key", client.hostKey, server.hostKey),
    commonHostKeys: server.hostKey.filter((name) => client.hostKey.includes(name)),
    clientToServer: direction(
      "client to server",
      [client.cipherClientToServer, client.macClientToServer, client.compressionClientToServer],
      [server.cipherClientToServer, server.macClientToServer, server.compressionClientToServer],
    ),
    serverToClient: direction(
      "server to client",
      [client.cipherServerToClient, client.macServerToClient, client.compressionServerToClient],
      [server.cipherServerToClient, server.macServerToClient, server.compressionServerToClient],
    ),
  };
}

/** Whether the peer has sent a key exchange message on a guess that is wrong: it must be ignored (RFC 4253 §7). */
export function guessedWrong(peer: KexInit, own: KexInit): boolean {
  return peer.firstKexPacketFollows && (peer.kex[0] !== own.kex[0] || peer.hostKey[0] !== own.hostKey[0]);
}

type Lists = readonly [cipher: readonly string[], mac: readonly string[], compression: readonly string[]];

function direction(name: string, client: Lists, server: Lists): NegotiatedDirection {
  const cipher = choose(`cipher (${name})`, client[0], server[0], cipherAlgorithms);
  const compression = choose(`compression (${name})`, client[2], server[2], compressionAlgorithms);
  if (cipher.aead) return { cipher, compression };
  return { cipher, mac: choose(`MAC (${name})`, client[1], server[1], macAlgorithms), compression };
}

function choose<T>(
  kind: string,
  client: readonly string[],
  server: readonly string[],
  registry: ReadonlyMap<string, T>,
): T {
  const algorithm = registry.get(common(kind, client, server));
  if (algorithm === undefined) throw noCommon(kind);
  return algorithm;
}

function common(kind: string, client: readonly string[], server: readonly string[]): string {
  const name = client.find((candidate) => server.includes(candidate));
  if (name === undefined) throw noCommon(kind);
  return name;
}

function noCommon(kind: string): ProtocolError {
  return new ProtocolError(`no common ${kind} algorithm`, DisconnectReason.KEY_EXCHANGE_FAILED);
}

export function namesOf(negotiated: Negotiated): NegotiatedNames {
  const direction = ({ cipher, mac, compression }: NegotiatedDirection) => ({
    cipher: cipher.name,
    ...(mac === undefined ? {} : { mac: mac.name }),
    compression: compression.name,
  });
  return {
    kex: negotiated.kex.name,
    hostKey: negotiated.hostKey,
    clientToServer: direction(negotiated.clientToServer),
    serverToClient: direction(negotiated.serverToClient),
  };
}
