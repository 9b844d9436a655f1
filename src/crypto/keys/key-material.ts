import { createPublicKey, type KeyObject } from "node:crypto";
import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { refuseDSA } from "./dsa.js";
import { KeyError, malformedIfThrown } from "./key-error.js";
import type { KeyType } from "./key-type.js";
import { keyTypeByName, keyTypeOf } from "./key-types.js";

/** The public half of a key, checked. */
export interface PublicHalf {
  readonly publicKey: KeyObject;
  /** The application of a security key. */
  readonly application?: string;
}

/** A key as every format yields it: checked, and with its public half in both forms. */
export interface KeyMaterial {
  readonly type: KeyType;
  /** RFC 4253 §6.6. */
  readonly publicBlob: Buffer;
  readonly opened: OpenedPublicKey;
  /** The application of a security key. */
  readonly application?: string;
  /** Absent from a public key. */
  readonly privateKey?: KeyObject;
  readonly comment: string;
}

/**
 * A public key as OpenSSL holds it: a kibibyte, or several. It is opened again when it is needed, so that the user's key that stays with
 * an idle connection does without.
 */
export class OpenedPublicKey {
  readonly #type: KeyType;
  readonly #blob: Buffer;
  #latest: WeakRef<KeyObject>;

  /**
   * @param blob of the key, which is not a certificate
   * @param key that was read from it
   */
  constructor(type: KeyType, blob: Buffer, key: KeyObject) {
    this.#type = type;
    this.#blob = blob;
    this.#latest = new WeakRef(key);
  }

  get key(): KeyObject {
    const latest = this.#latest.deref();
    if (latest !== undefined) return latest;
    const fields = new Reader(this.#blob);
    fields.readString();
    const { publicKey } = readPublicHalf(this.#type, fields);
    this.#latest = new WeakRef(publicKey);
    return publicKey;
  }
}

/** @param publicBlob of the key, which is not a certificate */
export function materialOf(type: KeyType, publicBlob: Buffer, half: PublicHalf, comment: string): KeyMaterial {
  const { publicKey, application } = half;
  const opened = new OpenedPublicKey(type, publicBlob, publicKey);
  return { type, publicBlob, opened, ...(application !== undefined && { application }), comment };
}

/**
 * Reads the public blob of a key that is not a certificate: the whole of it, with every number in range and every point
 * on its curve.
 *
 * @param publicBlob of any origin; kept, so nobody else may change it
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function plainMaterial(publicBlob: Buffer, comment: string): KeyMaterial {
  return malformedOnProtocolError("public key", () => {
    const fields = new Reader(publicBlob);
    const name = fields.readString().toString("latin1");
    const type = keyTypeByName(name);
    refuseDSA(name);
    if (type === undefined) throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported`);
    const publicHalf = readPublicHalf(type, fields);
    fields.end();
    return materialOf(type, publicBlob, publicHalf, comment);
  });
}

/**
 * The fields of a public key after its type's name, all of them hostile.
 *
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 * @throws {ProtocolError} from the Reader
 */
export function readPublicHalf(type: KeyType, fields: Reader): PublicHalf {
  if (type.kind === "plain") return { publicKey: type.readPublicKey(fields) };
  const publicKey = type.base.readPublicKey(fields);
  const application = fields.readText();
  if (application.includes("\0")) throw new KeyError("malformed", "the application of a security key is not a text");
  return { publicKey, application };
}

/**
 * Takes a private key of any origin, derives its public half and checks that they belong together.
 *
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function privateMaterial(privateKey: KeyObject, comment: string): KeyMaterial {
  const publicKey = malformedIfThrown("the private key is not valid", () => createPublicKey(privateKey));
  const material = plainMaterial(publicBlobOf(publicKey), comment);
  if (material.type.kind === "plain") material.type.checkPrivateKey(privateKey);
  return { ...material, privateKey };
}

/** The blob of RFC 4253 §6.6, made from a key that OpenSSL holds. */
export function publicBlobOf(publicKey: KeyObject): Buffer {
  const type = keyTypeOf(publicKey);
  if (type === undefined) {
    const name = publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType ?? "unknown";
    refuseDSA(name);
    throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported`);
  }
  const fields = new Writer().writeString(type.name);
  type.writePublicKey(fields, publicKey);
  return fields.toBuffer();
}

/**
 * A copy for bytes that stay in memory. Not from Node's pool of buffers: a user's key stays with the connection and
 * would keep 8 KiB of the pool.
 */
export function lastingCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

/** Runs `read` and reports the errors of its Reader as a malformed key; `what` completes "the … is malformed". */
export function malformedOnProtocolError<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) throw new KeyError("malformed", `the ${what} is malformed: ${error.message}`);
    throw error;
  }
}

/** A name from a key, short and harmless enough for a message or a log. */
export function printable(name: string): string {
  const shown = name.slice(0, 64).replace(/[^\x21-\x7e]/g, "?");
  return shown === "" ? "(none)" : shown;
}
