import { Reader } from "../../protocol/reader.js";
import { KeyError } from "../keys/key-error.js";
import { malformedOnProtocolError } from "../keys/key-material.js";
import { decodeBase64 } from "./base64.js";
import { type KeyOrCertificate, publicMaterial } from "./public-material.js";

/**
 * Reads a public key on one line, as in OpenSSH's `.pub` files: type, base64 of the blob, comment. Blank lines and
 * lines that start with `#` may stand around it.
 *
 * @throws {KeyError}
 */
export function readPublicLine(text: string): KeyOrCertificate {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim());
  const [line, ...others] = lines.filter((candidate) => candidate !== "" && !candidate.startsWith("#"));
  if (line === undefined) throw new KeyError("malformed", "the text is empty and holds no key");
  const [, name, base64, comment] = /^(\S+)[ \t]+(\S+)(?:[ \t]+(.*))?$/s.exec(line) ?? [];
  const blob = base64 === undefined ? undefined : decodeBase64(base64);
  if (name === undefined || blob === undefined) {
    throw new KeyError("malformed", "this is not a key in a format of OpenSSH or OpenSSL");
  }
  if (others.length > 0) throw new KeyError("malformed", "the text holds more than one public key");
  const blobName = malformedOnProtocolError("public key", () => new Reader(blob).readString().toString("latin1"));
  if (blobName !== name) throw new KeyError("malformed", "a public key is of another type than its line says");
  return publicMaterial(blob, comment ?? "");
}

/** The same line, without a line break at its end. */
export function writePublicLine(keyType: string, publicBlob: Buffer, comment: string): string {
  const line = `${keyType} ${publicBlob.toString("base64")}`;
  return comment === "" ? line : `${line} ${comment}`;
}
