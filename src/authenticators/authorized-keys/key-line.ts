import { decodeBase64 } from "../../crypto/key-formats/base64.js";
import { refuseDSA } from "../../crypto/keys/dsa.js";
import { KeyError } from "../../crypto/keys/key-error.js";
import { printable } from "../../crypto/keys/key-material.js";
import { keyTypeByName } from "../../crypto/keys/key-types.js";
import { Reader } from "../../protocol/reader.js";
import { type ContentLine, requireUtf8 } from "../files/content-lines.js";
import { type KeyOptions, parseKeyOptions } from "./key-options.js";
import { endOfField } from "./option-list.js";

/** One line of authorized_keys that can be used. */
export interface KeyLine {
  /** The blob of the key (RFC 4253 §6.6). It is well-formed; its numbers are checked where a client proves it. */
  readonly blob: Buffer;
  readonly options: KeyOptions;
}

const NO_KEY = "the line has no key, or a key of an unknown type";

/**
 * Reads one line of authorized_keys (sshd(8)): options, and a public key.
 *
 * @throws {Error} that tells why the line must not be used
 */
export function parseKeyLine({ content }: ContentLine): KeyLine {
  refuseArmour(content);
  if (startsWithKey(content)) return { blob: parseKeyBlob(content), options: parseKeyOptions("") };
  const end = endOfField(content);
  const options = parseOptionField(content.slice(0, end));
  const rest = content.slice(end).trimStart();
  if (!startsWithKey(rest)) throw new Error(NO_KEY);
  return { blob: parseKeyBlob(rest), options };
}

/**
 * The options at the beginning of a line, as `parseKeyOptions` reads them.
 *
 * @throws {Error} that tells why the line cannot be used
 */
export function parseOptionField(text: string): KeyOptions {
  requireUtf8("the options are", text);
  return parseKeyOptions(text);
}

function startsWithKey(text: string): boolean {
  return /^(ssh|ecdsa|sk)-[a-z0-9-]+(@[a-z0-9.-]+)?([ \t]|$)/.test(text);
}

/** For users who give the file of a private key in place of that of its public key. */
function refuseArmour(text: string): void {
  if (/^-----(BEGIN|END) /.test(text)) {
    throw new KeyError("unsupported", "the key stands in several lines: give the line of its .pub file");
  }
}

/**
 * Reads type, base64 of the blob and comment. The key itself is not made: of the thousand lines of a file one may be
 * asked for. A text that does not have the form of a type is not shown: it may be a line of a private key, or a secret.
 *
 * @throws {KeyError} `malformed` or `unsupported`
 */
export function parseKeyBlob(text: string): Buffer {
  refuseArmour(text);
  if (!startsWithKey(text)) throw new KeyError("unsupported", NO_KEY);
  const [name = "", base64 = ""] = text.split(/[ \t]+/, 2);
  refuseDSA(name);
  if (keyTypeByName(name) === undefined) {
    throw new KeyError("unsupported", `keys of type ${printable(name)} are not supported here`);
  }
  const blob = decodeBase64(base64);
  if (blob === undefined) throw new KeyError("malformed", "the key is not base64");
  if (firstString(blob) !== name)
    throw new KeyError("malformed", "the key is damaged, or of another type than the line says");
  return blob;
}

/** The first of the strings that the blob of every type of key consists of; `undefined` if it does not. */
function firstString(blob: Buffer): string | undefined {
  try {
    const fields = new Reader(blob);
    const first = fields.readString();
    while (fields.remaining > 0) fields.readString();
    return first.toString("latin1");
  } catch {
    return undefined;
  }
}
