import { PKey } from "../../../../src/crypto/index.js";
import { MessageNumber as M } from "../../../../src/protocol/constants.js";
import * as messages from "../../../support/packet-messages.js";
import { encodeFields, type Field, type Raw } from "../../../support/sftp-packets.js";
import { message, NO, NOT_UTF8, TWO, YES } from "./bytes.js";
import type { OddInput } from "./odd-input.js";
import type { Peer } from "./peer.js";

const ED25519 = "ssh-ed25519";
const HOST_BOUND = "publickey-hostbound-v00@openssh.com";
const stranger = PKey.generate({ keyType: "ed25519" });
const ecdsa = PKey.generate({ keyType: "ecdsa" });

/** Asks about keys, or proves them, by a method with these fields. */
function attempt(name: string, fields: (peer: Peer) => readonly Field[], method = "publickey"): OddInput {
  return {
    name,
    stage: "authenticating",
    send: (peer) =>
      peer.send(message(M.USERAUTH_REQUEST, peer.server.username, "ssh-connection", method, ...fields(peer))),
  };
}

const right = ({ server }: Peer): Buffer => server.key.publicBlob;
const signature = (algorithm: string, bytes: Uint8Array): Buffer => encodeFields(algorithm, bytes);
const WRONG = signature(ED25519, Buffer.alloc(64, 7));
const hostKey = ({ client }: Peer): Buffer => client.hostKeyBlob;

/** The right proof, changed, and what is sent close behind it. */
function proof(
  name: string,
  change: (signature: Buffer) => readonly Field[],
  { boolean = YES, behind = [] }: { readonly boolean?: Raw; readonly behind?: readonly Uint8Array[] } = {},
): OddInput {
  let fields: readonly Field[] = [];
  return {
    name,
    stage: "authenticating",
    prepare: async ({ client, server: { username, key } }) => {
      const request = { username, algorithm: ED25519, publicBlob: key.publicBlob };
      fields = change(await key.sign(messages.publickeySignedData(client.sessionId, request), ED25519));
    },
    send: (peer) => {
      const { username, key } = peer.server;
      const start = [username, "ssh-connection", "publickey", boolean, ED25519, key.publicBlob];
      peer.send(message(M.USERAUTH_REQUEST, ...start, ...fields), ...behind);
    },
    ...(behind.length > 0 && { next: "logged-in" }),
  };
}

export const publicKeyInputs: readonly OddInput[] = [
  attempt("a question about the right key, and no proof", (peer) => [NO, ED25519, right(peer)]),
  attempt("a question about another key", () => [NO, ED25519, stranger.publicBlob]),
  attempt("a question about a key of an unknown algorithm", () => [NO, "x", encodeFields("x", "y")]),
  attempt("a question with an algorithm that is not UTF-8", (peer) => [NO, NOT_UTF8, right(peer)]),
  attempt("a question with another key's algorithm", () => [NO, ED25519, ecdsa.publicBlob]),
  attempt("a question about no key", () => [NO, ED25519, ""]),
  attempt("a question about what is no key", () => [NO, ED25519, NOT_UTF8]),
  attempt("a question about a key of 31 bytes", () => [NO, ED25519, encodeFields(ED25519, Buffer.alloc(31))]),
  attempt("a question about a key with bytes behind it", (peer) => [
    NO,
    ED25519,
    Buffer.concat([right(peer), Buffer.of(1)]),
  ]),
  attempt("a question with bytes behind it", (peer) => [NO, ED25519, right(peer), "tail"]),
  attempt("a question about a DSA key", () => [
    NO,
    "ssh-dss",
    encodeFields("ssh-dss", Buffer.alloc(128, 1), Buffer.alloc(20, 1), Buffer.alloc(128, 1), Buffer.alloc(128, 1)),
  ]),
  attempt("a question about an RSA key by SHA-1", () => [
    NO,
    "ssh-rsa",
    encodeFields("ssh-rsa", Buffer.of(1, 0, 1), Buffer.alloc(257, 1)),
  ]),
  attempt("a question about a certificate that is none", () => [
    NO,
    "ssh-ed25519-cert-v01@openssh.com",
    encodeFields("ssh-ed25519-cert-v01@openssh.com", "nonce", "x"),
  ]),
  attempt("a question cut short", () => [NO, ED25519]),
  attempt("a proof with a wrong signature", (peer) => [YES, ED25519, right(peer), WRONG]),
  attempt("a proof with a signature of no bytes", (peer) => [YES, ED25519, right(peer), ""]),
  attempt("a proof with what is no signature", (peer) => [YES, ED25519, right(peer), NOT_UTF8]),
  attempt("a proof with a signature of another algorithm", (peer) => [
    YES,
    ED25519,
    right(peer),
    signature("ssh-rsa", Buffer.alloc(64)),
  ]),
  attempt("a proof without a signature", (peer) => [YES, ED25519, right(peer)]),
  attempt("a proof of another key", () => [YES, ED25519, stranger.publicBlob, WRONG]),
  proof("a proof with bytes behind it", (signed) => [signed, "tail"]),
  proof("a proof with bytes behind its signature", (signed) => [Buffer.concat([signed, Buffer.of(1)])]),
  proof("a proof with a boolean of 2", (signed) => [signed], { boolean: TWO }),
  proof("the right proof, and CHANNEL_OPEN close behind it", (signed) => [signed], {
    behind: [messages.channelOpen()],
  }),
  proof("the right proof, and another attempt close behind it", (signed) => [signed], {
    behind: [messages.noneRequest("nobody")],
  }),
  attempt("a host-bound question", (peer) => [NO, ED25519, right(peer), hostKey(peer)], HOST_BOUND),
  attempt("a host-bound question with another host key", (peer) => [NO, ED25519, right(peer), right(peer)], HOST_BOUND),
  attempt("a host-bound question with what is no host key", (peer) => [NO, ED25519, right(peer), NOT_UTF8], HOST_BOUND),
  attempt("a host-bound question without a host key", (peer) => [NO, ED25519, right(peer)], HOST_BOUND),
  attempt(
    "a host-bound proof with a wrong signature",
    (peer) => [YES, ED25519, right(peer), hostKey(peer), WRONG],
    HOST_BOUND,
  ),
];
