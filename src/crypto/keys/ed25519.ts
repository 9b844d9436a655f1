import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import type { Reader } from "../../protocol/reader.js";
import { isEd25519Point } from "./ed25519-point.js";
import { GENERATED_KEY_ENCODING, readGeneratedKey } from "./generated-key.js";
import { base64url, jwkFields } from "./jwk.js";
import { KeyError, malformedIfThrown } from "./key-error.js";
import type { PlainKeyType } from "./key-type.js";

const KEY_LENGTH = 32;
const SIGNATURE_LENGTH = 64;
const NAME = "ssh-ed25519";
/** A PrivateKeyInfo (RFC 8410 §7) up to where the seed stands. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Ed25519 (RFC 8709). */
export const ed25519: PlainKeyType = {
  kind: "plain",
  name: NAME,
  signatureAlgorithms: [NAME],

  accepts: (key) => key.asymmetricKeyType === "ed25519",

  bits: () => 256,

  readPublicKey(fields) {
    const point = readPoint(fields);
    return malformedIfThrown("the Ed25519 public key is not valid", () =>
      createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: base64url(point) } }),
    );
  },

  writePublicKey(fields, publicKey) {
    fields.writeString(jwkFields(publicKey)("x"));
  },

  readPrivateKey(fields) {
    const point = readPoint(fields);
    const seedAndPoint = fields.readString();
    if (seedAndPoint.length !== 2 * KEY_LENGTH) {
      throw new KeyError("malformed", "an Ed25519 private key has the wrong length");
    }
    const seed = seedAndPoint.subarray(0, KEY_LENGTH);
    // A JWK would need the public half, which may be of another key; from Node.js 26 on, such a JWK is refused.
    const key = malformedIfThrown("the Ed25519 private key is not valid", () =>
      createPrivateKey({ format: "der", type: "pkcs8", key: Buffer.concat([PKCS8_PREFIX, seed]) }),
    );
    const derived = jwkFields(createPublicKey(key))("x");
    if (!derived.equals(point) || !derived.equals(seedAndPoint.subarray(KEY_LENGTH))) {
      throw new KeyError("malformed", "the private half of the key does not belong to its public half");
    }
    return key;
  },

  writePrivateKey(fields, privateKey) {
    const jwk = jwkFields(privateKey);
    const point = jwk("x");
    fields.writeString(point).writeString(Buffer.concat([jwk("d"), point]));
  },

  /** OpenSSL derives the public half from the seed, so the two cannot differ. */
  checkPrivateKey: () => {},

  sign: (data, privateKey) => sign(null, data, privateKey),

  verify: (data, publicKey, signature) =>
    signature.length === SIGNATURE_LENGTH && verify(null, data, publicKey, signature),
};

/** A new private key. */
export function generateEd25519(): KeyObject {
  const { publicKeyEncoding, privateKeyEncoding } = GENERATED_KEY_ENCODING;
  return readGeneratedKey(generateKeyPairSync("ed25519", { publicKeyEncoding, privateKeyEncoding }).privateKey);
}

function readPoint(fields: Reader): Buffer {
  const point = fields.readString();
  if (point.length !== KEY_LENGTH) throw new KeyError("malformed", "an Ed25519 public key has the wrong length");
  if (!isEd25519Point(point)) throw new KeyError("malformed", "an Ed25519 public key is not a usable point");
  return point;
}
