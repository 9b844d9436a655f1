import { Reader } from "../../protocol/reader.js";
import { KeyError } from "../keys/key-error.js";
import { printable } from "../keys/key-material.js";
import { readWithoutNul, textOf } from "./certificate-text.js";

/** Data of the options of a certificate by their names, in its order. Where a name comes twice, the first counts. */
export type CertificateOptions = ReadonlyMap<string, Buffer>;

/** A flag has no data; a text is a string inside the data. */
type Shape = "flag" | "text";

/** The options that PROTOCOL.certkeys defines for user certificates, in each of the two lists. */
const CRITICAL_OPTIONS: ReadonlyMap<string, Shape> = new Map([
  ["force-command", "text"],
  ["source-address", "text"],
  ["verify-required", "flag"],
]);

const EXTENSIONS: ReadonlyMap<string, Shape> = new Map([
  ["no-touch-required", "flag"],
  ["permit-X11-forwarding", "flag"],
  ["permit-agent-forwarding", "flag"],
  ["permit-port-forwarding", "flag"],
  ["permit-pty", "flag"],
  ["permit-user-rc", "flag"],
]);

/**
 * Whether a user certificate may have it: a server that does not know a critical option has to refuse the certificate.
 */
export function isKnownCriticalOption(name: string): boolean {
  return CRITICAL_OPTIONS.has(name);
}

/**
 * Reads the list of critical options. As OpenSSH, it takes options in any order, and one that is not known with any
 * data.
 *
 * @throws {KeyError} `malformed`, also when the data of a known option is not of its form
 * @throws {ProtocolError} from the Reader
 */
export function readCriticalOptions(bytes: Buffer): CertificateOptions {
  return readOptions(bytes, CRITICAL_OPTIONS);
}

/** As `readCriticalOptions`, for the list of extensions. */
export function readExtensions(bytes: Buffer): CertificateOptions {
  return readOptions(bytes, EXTENSIONS);
}

function readOptions(bytes: Buffer, known: ReadonlyMap<string, Shape>): CertificateOptions {
  const options = new Map<string, Buffer>();
  const fields = new Reader(bytes);
  while (fields.remaining > 0) {
    const name = textOf(readWithoutNul(fields, "name of an option"));
    const data = fields.readString();
    const shape = known.get(name);
    if (shape === "flag" && data.length > 0) {
      throw new KeyError("malformed", `the option ${printable(name)} of a certificate has data`);
    }
    if (shape === "text") {
      readTextOption(data, name);
      if (options.has(name)) {
        throw new KeyError("malformed", `a certificate has the option ${printable(name)} twice`);
      }
    }
    if (!options.has(name)) options.set(name, data);
  }
  return options;
}

/**
 * The text in the data of an option.
 *
 * @throws {KeyError} `malformed`
 * @throws {ProtocolError} from the Reader
 */
export function readTextOption(data: Buffer, name: string): string {
  const fields = new Reader(data);
  const text = fields.readText();
  fields.end();
  if (text.includes("\0"))
    throw new KeyError("malformed", `the option ${printable(name)} of a certificate holds a NUL`);
  return text;
}
