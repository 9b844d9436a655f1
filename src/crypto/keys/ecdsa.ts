import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { GENERATED_KEY_ENCODING, readGeneratedKey } from "./generated-key.js";
import { base64url, jwkFields } from "./jwk.js";
import { KeyError, malformedIfThrown } from "./key-error.js";
import type { PlainKeyType } from "./key-type.js";

interface Curve {
  /** Name on the wire (RFC 5656 §10.1). */
  readonly name: string;
  readonly jwkName: string;
  /** Name in OpenSSL. */
  readonly opensslName: string;
  readonly bits: number;
  /** Bytes of a coordinate. */
  readonly fieldLength: number;
  /** RFC 5656 §6.2.1. */
  readonly hash: string;
  /** A SubjectPublicKeyInfo (RFC 5480) up to where the point stands. */
  readonly spkiPrefix: Buffer;
}

const P256: Curve = {
  name: "nistp256",
  jwkName: "P-256",
  opensslName: "prime256v1",
  bits: 256,
  fieldLength: 32,
  hash: "sha256",
  spkiPrefix: Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex"),
};

const P384: Curve = {
  name: "nistp384",
  jwkName: "P-384",
  opensslName: "secp384r1",
  bits: 384,
  fieldLength: 48,
  hash: "sha384",
  spkiPrefix: Buffer.from("3076301006072a8648ce3d020106052b81040022036200", "hex"),
};

const P521: Curve = {
  name: "nistp521",
  jwkName: "P-521",
  opensslName: "secp521r1",
  bits: 521,
  fieldLength: 66,
  hash: "sha512",
  spkiPrefix: Buffer.from("30819b301006072a8648ce3d020106052b8104002303818600", "hex"),
};

const CURVES: readonly Curve[] = [P256, P384, P521];
const UNCOMPRESSED = 4;

export const ecdsaP256 = ecdsa(P256);
export const ecdsaP384 = ecdsa(P384);
export const ecdsaP521 = ecdsa(P521);

/** Sizes that `generateEcdsa` can make. */
export const ECDSA_BITS: readonly number[] = CURVES.map((curve) => curve.bits);

/** A new private key; `bits` is one of `ECDSA_BITS`. */
export function generateEcdsa(bits: number): KeyObject {
  const curve = CURVES.find((candidate) => candidate.bits === bits);
  if (curve === undefined) throw new KeyError("unsupported", `there is no curve of ${bits} bits`);
  const options = { namedCurve: curve.opensslName, ...GENERATED_KEY_ENCODING };
  return readGeneratedKey(generateKeyPairSync("ec", options).privateKey);
}

/** ECDSA over one of the NIST curves (RFC 5656). */
function ecdsa(curve: Curve): PlainKeyType {
  const name = `ecdsa-sha2-${curve.name}`;
  return {
    kind: "plain",
    name,
    signatureAlgorithms: [name],

    accepts: (key) => key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === curve.opensslName,

    bits: () => curve.bits,

    readPublicKey(fields) {
      const point = readPoint(fields, curve);
      // OpenSSL checks that the point is on the curve. Given as DER rather than as JWK, because for the larger curves the
      // JWK import of Node 20 costs up to a millisecond.
      return malformedIfThrown("an ECDSA public key is not a point of its curve", () =>
        createPublicKey({ format: "der", type: "spki", key: Buffer.concat([curve.spkiPrefix, point]) }),
      );
    },

    writePublicKey(fields, publicKey) {
      fields.writeString(curve.name).writeString(pointOf(publicKey));
    },

    readPrivateKey(fields) {
      const point = readPoint(fields, curve);
      const scalar = leftPad(fields.readMpint(), curve.fieldLength);
      if (scalar === undefined) throw new KeyError("malformed", "an ECDSA private key is too long for its curve");
      const [x, y] = halves(point.subarray(1));
      return malformedIfThrown("the ECDSA private key is not valid", () =>
        createPrivateKey({
          format: "jwk",
          key: { kty: "EC", crv: curve.jwkName, d: base64url(scalar), x: base64url(x), y: base64url(y) },
        }),
      );
    },

    writePrivateKey(fields, privateKey) {
      fields.writeString(curve.name).writeString(pointOf(privateKey)).writeMpint(jwkFields(privateKey)("d"));
    },

    checkPrivateKey(privateKey) {
      const point = malformedIfThrown("the ECDSA private key is not valid", () => {
        const ecdh = createECDH(curve.opensslName);
        ecdh.setPrivateKey(jwkFields(privateKey)("d"));
        return ecdh.getPublicKey();
      });
      if (!timingSafeEqual(point, pointOf(privateKey))) {
        throw new KeyError("malformed", "the private half of the key does not belong to its public half");
      }
    },

    sign(data, privateKey) {
      const [r, s] = halves(sign(curve.hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" }));
      return new Writer().writeMpint(r).writeMpint(s).toBuffer();
    },

    verify(data, publicKey, signature) {
      const fields = new Reader(signature);
      const r = leftPad(fields.readMpint(), curve.fieldLength);
      const s = leftPad(fields.readMpint(), curve.fieldLength);
      fields.end();
      if (r === undefined || s === undefined) return false;
      return verify(curve.hash, data, { key: publicKey, dsaEncoding: "ieee-p1363" }, Buffer.concat([r, s]));
    },
  };
}

/** The curve's name and an uncompressed point (RFC 5656 §3.1). Compressed ones are optional there and never seen. */
function readPoint(fields: Reader, curve: Curve): Buffer {
  if (fields.readString().toString("latin1") !== curve.name) {
    throw new KeyError("malformed", "an ECDSA key names another curve than its type");
  }
  const point = fields.readString();
  if (point.length !== 1 + 2 * curve.fieldLength || point[0] !== UNCOMPRESSED) {
    throw new KeyError("malformed", "an ECDSA public key is not an uncompressed point of its curve");
  }
  return point;
}

function pointOf(key: KeyObject): Buffer {
  const jwk = jwkFields(key);
  return Buffer.concat([Buffer.of(UNCOMPRESSED), jwk("x"), jwk("y")]);
}

function halves(bytes: Buffer): [Buffer, Buffer] {
  const middle = bytes.length / 2;
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}

/** Undefined when `number` does not fit. */
function leftPad(number: Buffer, length: number): Buffer | undefined {
  if (number.length > length) return undefined;
  return Buffer.concat([Buffer.alloc(length - number.length), number]);
}
