/** The signature algorithms of keys that this library can sign with, the preferred first. */
export const plainSignatureAlgorithms: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
];

/** The algorithms of FIDO keys (OpenSSH PROTOCOL.u2f): for users and authorities, not for servers. */
const securityKeyAlgorithms: readonly string[] = ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"];

/**
 * The algorithms for signatures of users: the `server-sig-algs` of RFC 8308 §3.1. A certificate's signature is made
 * with one of them too; only the request names it otherwise.
 */
export const signatureAlgorithms: readonly string[] = [...plainSignatureAlgorithms, ...securityKeyAlgorithms];

/** The algorithms with which an authority may have signed a certificate, by default. */
export const caSignatureAlgorithms: readonly string[] = signatureAlgorithms;
