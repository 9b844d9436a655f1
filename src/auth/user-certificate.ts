import { inNetworks, isMappedNetwork, parseNetworks } from "../addresses/network.js";
import { certificateProblem } from "../crypto/certificates/certificate-problem.js";
import type { Certificate } from "../crypto/pkey/pkey.js";
import { completePermissions, type Permissions } from "./permissions.js";

/** Characters: the list is read before the authority of the certificate is known to be trusted. */
const MAX_SOURCE_ADDRESS_LENGTH = 8192;

/** The circumstances in which a user comes with a certificate. */
export interface CertificateLogin {
  readonly remoteAddress: string | undefined;
  readonly now: Date;
  /** The algorithms with which its authority may have signed it. */
  readonly caSignatureAlgorithms: readonly string[];
}

/**
 * Checks everything that a certificate says itself (PROTOCOL.certkeys), for a login. Not whether its authority is
 * trusted and its principals name the user: that is for a hook to say.
 *
 * @returns its permissions, or the reason why it does not count
 */
export function checkUserCertificate(certificate: Certificate, login: CertificateLogin): Permissions | string {
  const { remoteAddress, now, caSignatureAlgorithms } = login;
  const use = { type: "user", now, allowedSignatureAlgorithms: caSignatureAlgorithms } as const;
  return (
    certificateProblem(certificate, use) ??
    sourceAddressProblem(certificate.sourceAddress, remoteAddress) ??
    completePermissions({
      pty: certificate.permitPty,
      portForwarding: certificate.permitPortForwarding,
      agentForwarding: certificate.permitAgentForwarding,
      x11Forwarding: certificate.permitX11Forwarding,
      userRc: certificate.permitUserRc,
      forceCommand: certificate.forceCommand,
    })
  );
}

function sourceAddressProblem(list: string | undefined, remoteAddress: string | undefined): string | undefined {
  if (list === undefined) return undefined;
  if (list.length > MAX_SOURCE_ADDRESS_LENGTH) return "the certificate's list of addresses is too long";
  try {
    const elements = list.split(",");
    const networks = parseNetworks(elements);
    const named = networks.filter((network, index) => !isMappedNetwork(elements[index] ?? "", network));
    if (inNetworks(remoteAddress, named)) return undefined;
    return "the certificate is not for this address";
  } catch {
    return "the certificate's list of addresses is malformed";
  }
}
