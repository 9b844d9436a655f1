import { KeyError } from "../keys/key-error.js";
import { decodeBase64 } from "./base64.js";
import { type KeyOrCertificate, publicMaterial } from "./public-material.js";

export const RFC4716_BEGIN = "---- BEGIN SSH2 PUBLIC KEY ----";
const RFC4716_END = "---- END SSH2 PUBLIC KEY ----";
/** 64 for the tag, ": ", 1024 for the value (§3.3). */
const HEADER_MAXIMUM_LENGTH = 64 + 2 + 1024;

/**
 * Reads a public key in the SSH Public Key File Format (RFC 4716), as `ssh-keygen -e` writes it.
 *
 * @throws {KeyError}
 */
export function readRfc4716(text: string): KeyOrCertificate {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trimEnd());
  const start = lines.indexOf(RFC4716_BEGIN);
  const end = lines.indexOf(RFC4716_END, start);
  if (start < 0 || end < 0) throw new KeyError("malformed", `the public key has no line "${RFC4716_END}"`);

  let comment = "";
  const body: string[] = [];
  const content = lines.slice(start + 1, end).values();
  for (const line of content) {
    if (!line.includes(":")) {
      body.push(line);
      continue;
    }
    // A header goes on in the next line when it ends with a backslash (§3.3).
    let header = line;
    while (header.endsWith("\\")) {
      header = header.slice(0, -1) + (content.next().value ?? "");
      if (header.length > HEADER_MAXIMUM_LENGTH)
        throw new KeyError("malformed", "the public key has an endless header");
    }
    comment = /^comment: *"?(.*?)"?$/is.exec(header)?.[1] ?? comment;
  }
  const blob = decodeBase64(body.join(""));
  if (blob === undefined) throw new KeyError("malformed", "the public key is not valid base64");
  return publicMaterial(blob, comment);
}
