import { KeyError } from "../keys/key-error.js";

/** One block of a PEM text (RFC 7468), with the headers that OpenSSL's older format puts first (RFC 1421 §4.6). */
export interface PemBlock {
  readonly label: string;
  /** The base64 between the lines, without whitespace; not validated. */
  readonly body: string;
  /** Whether label or headers say that a passphrase is needed. */
  readonly encrypted: boolean;
  /** The block written anew, so that OpenSSL reads in it just what was read here. */
  readonly text: string;
}

/** Stands before the key in what `openssl ecparam -genkey` writes, and repeats what the key says. */
const SKIPPED_LABEL = "EC PARAMETERS";
/** RFC 7468 §3. */
const STRICT_LINE_LENGTH = 64;

/**
 * The first block of `text` that can be a key; the text around it is ignored.
 *
 * @throws {KeyError} `malformed` when the text has no such block, or its end is missing
 */
export function findPemBlock(text: string): PemBlock {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trimEnd());
  for (const [start, line] of lines.entries()) {
    const label = /^-----BEGIN ([A-Z0-9 ]+)-----$/.exec(line)?.[1];
    if (label === undefined || label === SKIPPED_LABEL) continue;
    const end = lines.indexOf(`-----END ${label}-----`, start);
    if (end < 0) throw new KeyError("malformed", `the key has no line "-----END ${label}-----"`);
    return pemBlock(label, lines.slice(start + 1, end));
  }
  throw new KeyError("malformed", 'the key has no complete line "-----BEGIN ...-----"');
}

function pemBlock(label: string, content: readonly string[]): PemBlock {
  const hasHeaders = content[0]?.includes(":") ?? false;
  const bodyStart = hasHeaders ? content.indexOf("") + 1 : 0;
  const headers = content.slice(0, bodyStart);
  const body = content.slice(bodyStart).join("").replace(/\s/g, "");
  return {
    label,
    body,
    encrypted: label.startsWith("ENCRYPTED ") || headers.some((header) => /^Proc-Type: *4, *ENCRYPTED$/.test(header)),
    text: toPem(label, body, STRICT_LINE_LENGTH, headers),
  };
}

/** A PEM text; `headers` end with their blank line. */
export function toPem(label: string, base64: string, lineLength: number, headers: readonly string[] = []): string {
  const lines = [`-----BEGIN ${label}-----`, ...headers];
  for (let start = 0; start < base64.length; start += lineLength) lines.push(base64.slice(start, start + lineLength));
  lines.push(`-----END ${label}-----`, "");
  return lines.join("\n");
}
