import { plainSignatureAlgorithms, signatureAlgorithms } from "../keys/signature-algorithms.js";
import { certificateNameOf } from "./certificate-names.js";

/** The names in requests to log in with a certificate: one for each of `signatureAlgorithms`. */
export const certificateAlgorithms: readonly string[] = signatureAlgorithms.map(certificateNameOf);

/** Offered for host keys, those of certificates first. */
export const hostKeyAlgorithms: readonly string[] = [
  ...plainSignatureAlgorithms.map(certificateNameOf),
  ...plainSignatureAlgorithms,
];
