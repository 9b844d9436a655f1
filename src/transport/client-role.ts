import type { MaybePromise } from "../base/maybe-promise.js";
import { certificateProblem } from "../crypto/certificates/certificate-problem.js";
import { KeyError } from "../crypto/keys/key-error.js";
import { PKey } from "../crypto/pkey/pkey.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import type { AlgorithmPreferences } from "./algorithms.js";
import { clientPhases } from "./client-phases.js";
import type { Negotiated } from "./negotiation.js";
import { clientMarkers, type Method, type Role, serverMarkers } from "./role.js";

/** Lines before the identification that ssh takes. */
const MAX_LINES_BEFORE_IDENTIFICATION = 1024;

export interface ClientRoleOptions {
  /**
   * Decides whether this is the key of the server that is wanted; exactly `true` accepts it. The server has proven that it
   * has the key. What a certificate itself says was checked; its authority and its principals were not.
   * Asked in each key exchange.
   */
  readonly acceptHostKey: (key: PKey) => MaybePromise<boolean>;
  /** Gets the server's extensions (RFC 8308 §3), `server-sig-algs` among them. If called again, the latest count. */
  readonly extensionsReceived: (extensions: ReadonlyMap<string, string>) => void;
}

/** The client, which decides about the server's key. */
export function clientRole({ acceptHostKey, extensionsReceived }: ClientRoleOptions): Role {
  return {
    sends: "clientToServer",
    receives: "serverToClient",
    ownMarkers: clientMarkers,
    peerMarkers: serverMarkers,
    phases: clientPhases,
    linesBeforeIdentification: MAX_LINES_BEFORE_IDENTIFICATION,
    hostKeyAlgorithms: (preferences) => preferences,
    startMethod: (negotiated, algorithms) => startMethod(negotiated, algorithms, acceptHostKey),
    extensions: () => new Map([["ext-info-in-auth@openssh.com", "0"]]),
    receiveExtensions: (extensions) =>
      extensionsReceived(new Map([...extensions].map(([name, value]) => [name, value.toString("latin1")]))),
  };
}

function startMethod(
  negotiated: Negotiated,
  { caSignature }: AlgorithmPreferences,
  acceptHostKey: ClientRoleOptions["acceptHostKey"],
): Method {
  const method = negotiated.kex.startClient();
  return {
    opening: method.opening,
    receive(payload) {
      const step = method.receive(payload);
      if (step.kind === "continue") return step;
      // It stays as long as the connection, and is a view of a larger chunk.
      const hostKeyBlob = Buffer.from(step.hostKey);
      return {
        ...step,
        hostKeyBlob,
        async authenticate(hash) {
          const key = provenKey(hostKeyBlob, hash, step.signature, negotiated.hostKey);
          checkCertificate(key, caSignature);
          await demandAcceptance(key, acceptHostKey);
          return undefined;
        },
      };
    },
  };
}

/** @throws {ProtocolError} unless the key has signed, with the algorithm that was agreed on */
function provenKey(blob: Buffer, exchangeHash: Buffer, signature: Buffer, algorithm: string): PKey {
  const key = readKey(blob);
  if (!key.signatureAlgorithms.includes(algorithm)) {
    throw refused(`the server's host key does not fit the algorithm ${algorithm}`);
  }
  if (!key.verify(exchangeHash, signature, algorithm)) throw refused("the signature of the server's host key is wrong");
  return key;
}

function checkCertificate({ certificate }: PKey, allowedSignatureAlgorithms: readonly string[]): void {
  if (certificate === undefined) return;
  const problem = certificateProblem(certificate, { type: "host", now: new Date(), allowedSignatureAlgorithms });
  if (problem === undefined) return;
  throw refused("the certificate of the server's host key is not good", { cause: new Error(problem) });
}

function readKey(blob: Buffer): PKey {
  try {
    return PKey.fromBlob(blob);
  } catch (cause) {
    if (!(cause instanceof KeyError)) throw cause;
    throw refused("the server's host key cannot be used", { cause });
  }
}

async function demandAcceptance(key: PKey, acceptHostKey: ClientRoleOptions["acceptHostKey"]): Promise<void> {
  let accepted: boolean;
  try {
    accepted = await acceptHostKey(key);
  } catch (cause) {
    throw notAccepted({ cause });
  }
  if (accepted !== true) throw notAccepted();
}

function refused(message: string, options?: ErrorOptions): ProtocolError {
  return new ProtocolError(message, DisconnectReason.KEY_EXCHANGE_FAILED, options);
}

function notAccepted(options?: ErrorOptions): ProtocolError {
  return new ProtocolError("the server's host key is not accepted", DisconnectReason.HOST_KEY_NOT_VERIFIABLE, options);
}
