import type { HostKey } from "../../crypto/pkey/host-key.js";
import { Writer } from "../../protocol/writer.js";

/** The global request that tells a client all keys of the server (OpenSSH PROTOCOL §2.5). */
export const HOST_KEYS = "hostkeys-00@openssh.com";

const CERTIFICATE_SUFFIX = "-cert-v01@openssh.com";

/** Clients that end the connection at a global request that they do not know: Cisco's, and Tera Term before TTSSH 2.73. */
const FRAIL_CLIENTS = /^SSH-2\.0-(?:Cisco-1\.|TeraTerm SSH|TTSSH\/(?:1\.|2\.(?:[0-6]|7[0-2])))/;

/** Whether the announcement can be sent to a client that identifies itself so. */
export function takesHostKeys(clientIdentification: string): boolean {
  return !FRAIL_CLIENTS.test(clientIdentification);
}

/**
 * The host keys that a client may learn: those that can sign by one of these algorithms. Certificates are not among
 * them: a client trusts their authority, and remembers plain keys.
 */
export function announcedHostKeys(hostKeys: readonly HostKey[], algorithms: readonly string[]): readonly HostKey[] {
  return hostKeys.filter(
    ({ keyType, signatureAlgorithms }) =>
      !keyType.endsWith(CERTIFICATE_SUFFIX) && signatureAlgorithms.some((name) => algorithms.includes(name)),
  );
}

/** The fields of the announcement: the public blob of each key, as a string. */
export function encodeHostKeys(hostKeys: readonly HostKey[]): Buffer {
  const writer = new Writer();
  for (const { publicBlob } of hostKeys) writer.writeString(publicBlob);
  return writer.toBuffer();
}
