import { createPublicKey, type KeyObject } from "node:crypto";
import { ProtocolError } from "../../protocol/errors.js";
import { Reader } from "../../protocol/reader.js";
import { Writer } from "../../protocol/writer.js";
import { KeyError, malformedIfThrown } from "./key-error.js";
import type { KeyType } from "./key-type.js";
import { keyTypeByName, keyTypeOf } from "./key-types.js";

/** A key as every format yields it: checked, and with its public half in both forms. */
export interface KeyMaterial {
  readonly type: KeyType;
  /** RFC 4253 §6.6. */
  readonly publicBlob: Buffer;
  readonly publicKey: KeyObject;
  /** Absent from a public key. */
  readonly privateKey?: KeyObject;
  readonly comment: string;
}

/**
 * Reads a public blob of any origin: the whole of it, with every number in range and every point on its curve.
 *
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function publicMaterial(publicBlob: Buffer, comment: string): KeyMaterial {
  // A copy, because the caller's bytes can be a view of a packet that is about to be overwritten.
  // Not from Node's pool of buffers: a user's key stays with the connection and would keep 8 KiB of it.
  const blob = Buffer.allocUnsafeSlow(publicBlob.length);
  publicBlob.copy(blob);
  return malformedOnProtocolError("public key", () => {
    const fields = new Reader(blob);
    const name = fields.readString().toString("latin1");
    const type = keyTypeByName(name);
    if (type === undefined) throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported`);
    const publicKey = type.readPublicKey(fields);
    fields.end();
    return { type, publicBlob: blob, publicKey, comment };
  });
}

/**
 * Takes a private key of any origin, derives its public half and checks that they belong together.
 *
 * @throws {KeyError} `malformed`, `unsupported` or `weak`
 */
export function privateMaterial(privateKey: KeyObject, comment: string): KeyMaterial {
  const publicKey = malformedIfThrown("the private key is not valid", () => createPublicKey(privateKey));
  const material = publicMaterial(publicBlobOf(publicKey), comment);
  material.type.checkPrivateKey(privateKey);
  return { ...material, privateKey };
}

/** The blob of RFC 4253 §6.6, made from a key that OpenSSL holds. */
export function publicBlobOf(publicKey: KeyObject): Buffer {
  const type = keyTypeOf(publicKey);
  if (type === undefined) {
    const name = publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType ?? "unknown";
    throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported`);
  }
  const fields = new Writer().writeString(type.name);
  type.writePublicKey(fields, publicKey);
  return fields.toBuffer();
}

/** Runs `read` and reports what its Reader found wrong as a malformed key; `what` completes "the … is malformed". */
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
