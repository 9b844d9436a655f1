import { createECDH, type ECDH } from "node:crypto";
import type { ExchangeHash } from "./key-exchange.js";
import { keyExchangeFailed } from "./messages.js";
import { type ClientShare, oneRoundAlgorithm, type ServerShare } from "./one-round.js";
import { encodeSecretMpint } from "./shared-secret.js";
import { agreeX25519, offerX25519 } from "./x25519.js";

/** First byte of an uncompressed point (SEC 1 §2.3.3). */
const UNCOMPRESSED = 0x04;

/** RFC 8731. */
export const curve25519Sha256 = curve25519("curve25519-sha256");
/** The same method under the name it had before RFC 8731. */
export const curve25519Sha256Libssh = curve25519("curve25519-sha256@libssh.org");
/** RFC 5656 §6.3, and §6.2.1 for the hash that belongs to each curve. */
export const ecdhSha2Nistp256 = ecdh("ecdh-sha2-nistp256", "prime256v1", 32, "sha256");
export const ecdhSha2Nistp384 = ecdh("ecdh-sha2-nistp384", "secp384r1", 48, "sha384");
export const ecdhSha2Nistp521 = ecdh("ecdh-sha2-nistp521", "secp521r1", 66, "sha512");

function curve25519(name: string) {
  return oneRoundAlgorithm({
    name,
    hash: "sha256",
    publicValues: "string",
    respond(clientValue) {
      const { publicValue, sharedSecret } = agreeX25519(clientValue);
      return { serverValue: publicValue, sharedSecret: encodeSecretMpint(sharedSecret) };
    },
    initiate() {
      const { publicValue, agree } = offerX25519();
      return { clientValue: publicValue, agree: (serverValue) => encodeSecretMpint(agree(serverValue)) };
    },
  });
}

function ecdh(name: string, curve: string, fieldLength: number, hash: ExchangeHash) {
  return oneRoundAlgorithm({
    name,
    hash,
    publicValues: "string",
    respond: (clientPoint) => agreeOnCurve(curve, fieldLength, clientPoint),
    initiate: () => offerOnCurve(curve, fieldLength),
  });
}

function agreeOnCurve(curve: string, fieldLength: number, clientPoint: Buffer): ServerShare {
  checkForm(curve, fieldLength, clientPoint);
  const ephemeral = createECDH(curve);
  const serverValue = ephemeral.generateKeys();
  return { serverValue, sharedSecret: computeSecret(ephemeral, curve, clientPoint) };
}

function offerOnCurve(curve: string, fieldLength: number): ClientShare {
  const ephemeral = createECDH(curve);
  return {
    clientValue: ephemeral.generateKeys(),
    agree(serverPoint) {
      checkForm(curve, fieldLength, serverPoint);
      return computeSecret(ephemeral, curve, serverPoint);
    },
  };
}

/**
 * The form and length leave only affine points (the point at infinity is a single zero byte); `computeSecret` checks
 * that the point is on the curve. The cofactor is 1, so that is all of the validation that RFC 5656 §4 asks for.
 */
function checkForm(curve: string, fieldLength: number, point: Buffer): void {
  if (point.length !== 1 + 2 * fieldLength || point[0] !== UNCOMPRESSED) {
    throw keyExchangeFailed(`the peer's point is not an uncompressed point on ${curve}`);
  }
}

function computeSecret(ephemeral: ECDH, curve: string, point: Buffer): Buffer {
  let sharedSecret: Buffer;
  try {
    sharedSecret = ephemeral.computeSecret(point);
  } catch (cause) {
    throw keyExchangeFailed(`the peer's point is not on ${curve}`, { cause });
  }
  return encodeSecretMpint(sharedSecret);
}
